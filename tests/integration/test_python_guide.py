"""Every program of docs/PYTHON.md and examples/python, run as written by a stranger's interpreter: what it prints.

All that differs from what is written is the server's address. Programs say what they hear, so the sound is proved.
"""

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ari_bridge.accounts.users_file import UsersFile
from tests.real.live_system import LiveSystemWith

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "PYTHON.md"
EXAMPLES = ROOT / "examples" / "python"
SERVER = "127.0.0.1:3000"
PASSWORD = "s3cret-pass"  # of the guide
SECONDS = 60


@dataclass(frozen=True)
class Program:
    heading: str
    code: str
    prints: str  # "…" stands for anything in a line, and alone in one for any lines


def programs() -> list[Program]:
    """Each `python` block, with the `text` block after it."""
    found: list[Program] = []
    for section in re.split(r"^## ", GUIDE.read_text(), flags=re.MULTILINE)[1:]:
        blocks = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        found += [Program(section.splitlines()[0], code, prints) for code, prints in blocks]
    return found


PROGRAMS = programs()


def test_every_program_says_what_it_prints() -> None:
    assert len(PROGRAMS) == GUIDE.read_text().count("```python") > 8
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"echo_call.py", "http_call.py", "plain_websocket.py"}


def pattern(prints: str) -> str:
    """What matches it."""
    lines = [".*".join(map(re.escape, line.split("…"))) + "\n" for line in prints.splitlines()]
    return "".join(r"(?:.*\n)*" if line == ".*\n" else line for line in lines)


async def run(*arguments: str, folder: Path) -> str:
    """What it printed. Fails with what it printed where it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error::RuntimeWarning"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, error = await process.communicate()
    except TimeoutError:
        process.kill()
        out, error = await process.communicate()
        pytest.fail(f"not done within {SECONDS} s:\n{out.decode()}\n{error.decode()}")
    assert process.returncode == 0 and not error, out.decode() + error.decode()
    return out.decode()


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.heading.lower().replace(" ", "-") for program in PROGRAMS])
async def test_a_program_of_the_guide(site_with: LiveSystemWith, tmp_path: Path, program: Program) -> None:
    users = tmp_path / "users"
    UsersFile(users).add("1001", PASSWORD)
    settings = {
        "enable_authentication": PASSWORD in program.code,
        "users_file": users,
        "token_secret_file": tmp_path / "secret",
        "preflight_number": "600",
    }
    async with site_with(**settings) as site:
        assert SERVER in program.code
        code = program.code.replace(SERVER, site.app.url.removeprefix("http://"))
        printed = await run("-c", code, folder=tmp_path)
    assert re.fullmatch(pattern(program.prints), printed), printed


async def test_the_echo_example(site_with: LiveSystemWith, tmp_path: Path) -> None:
    async with site_with() as site:
        printed = await run(str(EXAMPLES / "echo_call.py"), site.app.url, folder=tmp_path)
    assert "heard: a tone at 700 Hz" in printed and "accepted → ended (completed" in printed


async def test_the_http_example(site_with: LiveSystemWith, tmp_path: Path) -> None:
    async with site_with() as site:
        printed = await run(str(EXAMPLES / "http_call.py"), site.app.url, folder=tmp_path)
    assert "heard: a tone at 700 Hz" in printed and printed.endswith("state: ended\noutcome: completed\n")


async def test_the_example_without_a_client_of_ours(site_with: LiveSystemWith, tmp_path: Path) -> None:
    source = (EXAMPLES / "plain_websocket.py").read_text()
    assert "frontend" not in source and "ari_bridge" not in source
    async with site_with() as site:
        printed = await run(str(EXAMPLES / "plain_websocket.py"), site.app.ws_url, folder=tmp_path)
    [heard] = re.findall(r"^heard: (\d+) Hz$", printed, re.MULTILINE)
    assert abs(int(heard) - 1004) <= 15, printed
    assert printed.endswith("state: ended\noutcome: completed\n")
