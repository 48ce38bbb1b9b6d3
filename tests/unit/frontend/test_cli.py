"""`ari-bridge serve` is up as fast as it can be: it imports nothing that serving does not need."""

import json
import subprocess
import sys

import pytest

COMMAND = """
import json, sys
sys.argv = ["ari-bridge", "serve"]
import frontend.cli.serve
imported = []
frontend.cli.serve.serve = lambda: imported.extend(sys.modules) or 0
from frontend.cli.__main__ import main
try:
    main()
except SystemExit as ended:
    print(json.dumps([ended.code, imported]))
"""


@pytest.fixture(scope="module")
def served() -> tuple[int, set[str]]:
    """The exit status, and what was imported when the server would have begun."""
    run = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, timeout=60, check=True)
    status, imported = json.loads(run.stdout)
    return status, set(imported)


def test_serve_ends_with_the_server_s_status(served: tuple[int, set[str]]) -> None:
    assert served[0] == 0


@pytest.mark.parametrize(
    "module",
    [
        *("typer", "frontend.cli.commands", "frontend.cli.doctor", "ari_bridge.diagnostics.doctor"),
        *("numpy", "aiortc", "av"),
    ],
)
def test_serve_does_not_import(served: tuple[int, set[str]], module: str) -> None:
    assert "frontend.app" in served[1]
    assert module not in served[1]


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["version"], ["user", "list", "--help"]])
def test_the_other_commands_are_there(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = ['ari-bridge', *{arguments}]; from frontend.cli.__main__ import main; main()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout
