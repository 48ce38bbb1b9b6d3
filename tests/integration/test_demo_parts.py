"""The real Asterisk and rtpengine as `deploy.demo` runs them: side by side, unprivileged, gone when stopped."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.asterisk import Asterisk
from deploy.demo.ports import PortsTaken
from deploy.demo.process import ProgramFailed
from deploy.demo.rtpengine import Rtpengine
from deploy.demo.supervisor import Supervisor
from tests.real import free_ports

pytestmark = pytest.mark.real


def an_asterisk(run_dir: Path, version: str) -> Asterisk:
    ari, sip, trunk = free_ports.ports(3)
    return Asterisk(
        run_dir, ari_port=ari, sip_port=sip, trunk_port=trunk, rtp_range=free_ports.rtp_range(100), version=version
    )


@pytest.fixture(scope="module", params=["16", "22"])
def asterisk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    with an_asterisk(tmp_path_factory.mktemp("asterisk"), request.param) as running:
        yield running


def test_it_is_the_version_asked_for_and_answers_ari(asterisk: Asterisk) -> None:
    assert asterisk.cli("core show version").startswith(f"Asterisk {asterisk.version}.")
    assert asterisk.answers()


def test_it_loads_all_that_a_call_needs(asterisk: Asterisk) -> None:
    running = asterisk.cli("module show")
    for module in ("chan_pjsip", "chan_rtp", "res_ari_channels", "res_ari_bridges", "app_stasis", "func_timeout"):
        [line] = [line for line in running.splitlines() if line.startswith(f"{module}.so")]
        assert " Running " in line


def test_it_has_no_privileges_and_keeps_its_password_to_itself(asterisk: Asterisk) -> None:
    status = Path(f"/proc/{asterisk.pid}/status").read_text()
    [users] = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")]
    assert "0" not in users
    assert (asterisk.home / "etc" / "ari.conf").stat().st_mode & 0o077 == 0


def test_two_run_side_by_side_and_nothing_is_left_of_one_that_stops(asterisk: Asterisk, tmp_path: Path) -> None:
    with an_asterisk(tmp_path, asterisk.version) as second:
        pid = second.pid
        assert pid != asterisk.pid
        assert "1 active channel" not in second.cli("core show channels")
    assert not Path(f"/proc/{pid}").exists()
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    assert asterisk.answers()


@pytest.mark.parametrize(("number", "cause"), [("604", "17"), ("605", "34")])
def test_busy_and_congestion_tell_their_cause(asterisk: Asterisk, number: str, cause: str) -> None:
    plan = asterisk.cli(f"dialplan show {number}@from-browser")
    assert f"1. Hangup({cause})" in plan


def test_a_taken_port_stops_the_start(tmp_path: Path) -> None:
    ari, sip, trunk = free_ports.ports(3)
    with socket.socket() as held:
        held.bind(("127.0.0.1", ari))
        held.listen()
        taken = Asterisk(tmp_path, ari_port=ari, sip_port=sip, trunk_port=trunk, rtp_range=free_ports.rtp_range(100))
        with pytest.raises(PortsTaken, match=rf"ARI.*pid {os.getpid()}"):
            taken.start()


def test_rtpengine_answers_and_is_gone_at_stop(tmp_path: Path) -> None:
    [ng] = free_ports.ports(1)
    with Rtpengine(tmp_path, ng_port=ng, rtp_range=free_ports.rtp_range(100)) as rtpengine:
        assert rtpengine.answers()
        pid = rtpengine.pid
    assert not Path(f"/proc/{pid}").exists()


def test_an_rtpengine_that_cannot_start_says_why(tmp_path: Path) -> None:
    [ng] = free_ports.ports(1)
    wrong = Rtpengine(tmp_path, ng_port=ng, rtp_range=free_ports.rtp_range(100), host="not-an-address")
    with pytest.raises(ProgramFailed, match="rtpengine: it ended with status .*not-an-address"):
        wrong.start(deadline=5)


def test_what_is_killed_is_brought_back(tmp_path: Path) -> None:
    first, second = free_ports.ports(2)
    with (
        an_asterisk(tmp_path, "16") as asterisk,
        Rtpengine(tmp_path, ng_port=first, rtp_range=free_ports.rtp_range(100), name="rtpengine-1") as rtpengine,
        Rtpengine(tmp_path, ng_port=second, rtp_range=free_ports.rtp_range(100), name="rtpengine-2") as other,
    ):
        said: list[str] = []
        supervisor = Supervisor([rtpengine, other, asterisk], tell=said.append)
        untouched = other.pid
        for part in (rtpengine, asterisk):
            os.kill(part.pid, signal.SIGKILL)
        for _ in range(20):
            supervisor.watch(0.5)
            if len(said) == 4:
                break
        told = [line.partition("(")[0].split()[0:3:2] for line in said]  # mark and name, in whatever order they died
        assert sorted(told) == [["✓", "Asterisk"], ["✓", "rtpengine-1"], ["✗", "Asterisk"], ["✗", "rtpengine-1"]], said
        assert rtpengine.answers()
        assert asterisk.answers()
        assert other.pid == untouched
        assert (tmp_path / "rtpengine-1.pid").read_text() == f"{rtpengine.pid}\n"
