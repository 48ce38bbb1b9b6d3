"""The preferences on disk: what holds after a kill, a broken file, a disk that fails."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ari_bridge.preferences import PreferenceFile, PreferencesNotSaved
from ari_bridge_protocol.preferences import CallPreferences

QUIET = CallPreferences(do_not_disturb=True)
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from ari_bridge.preferences import PreferenceFile
from ari_bridge_protocol.preferences import CallPreferences

async def main():
    kept = PreferenceFile(Path(sys.argv[1]))
    kept.load()
    for number in range(10**6):
        await kept.change("1001", CallPreferences(forward_always=str(number)))
        print(number, flush=True)

asyncio.run(main())
"""


def loaded(path: Path) -> PreferenceFile:
    kept = PreferenceFile(path)
    kept.load()
    return kept


async def test_what_was_set_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "preferences.json"
    await loaded(path).change("1001", QUIET)
    again = loaded(path)
    assert (again.of("1001"), again.of("1002")) == (QUIET, CallPreferences())
    await again.change("1001", CallPreferences())
    assert path.read_bytes() == b"{}"
    assert path.stat().st_mode & 0o077 == 0


async def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    kept = loaded(path)
    await asyncio.gather(*(kept.change(str(user), QUIET) for user in range(30)))
    assert all(loaded(path).of(str(user)) == QUIET for user in range(30))


def test_after_kill_9_the_last_confirmed_change_holds(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    program = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert program.stdout
    with program.stdout as told:
        confirmed = [int(told.readline()) for _ in range(20)]
        os.kill(program.pid, signal.SIGKILL)
        confirmed += [int(line) for line in told.read().split()]
    program.wait()
    assert int(loaded(path).of("1001").forward_always) in (confirmed[-1], confirmed[-1] + 1)


@pytest.mark.parametrize("content", [b"", b'{"1001": {"doNotDisturb": "perhaps"}}', b"\xff" * 100], ids=str)
async def test_a_file_that_cannot_be_read_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "preferences.json"
    path.write_bytes(content)
    kept = loaded(path)
    assert kept.of("1001") == CallPreferences()
    await kept.change("1001", QUIET)
    assert (tmp_path / "preferences.unreadable").read_bytes() == content


async def test_a_disk_that_fails_is_told_and_what_held_before_holds(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    kept = loaded(folder / "preferences.json")
    await kept.change("1001", QUIET)
    (folder / "preferences.json").unlink()
    folder.rmdir()
    folder.write_text("no folder")
    with pytest.raises(PreferencesNotSaved, match="cannot be kept now"):
        await kept.change("1001", CallPreferences())
    assert kept.of("1001") == QUIET
