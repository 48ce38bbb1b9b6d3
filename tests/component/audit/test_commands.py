"""`ari-bridge user` records what it does, and `ari-bridge audit` reads it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from typer.testing import CliRunner

from frontend.cli.commands import main

PASSWORD = "four other words, all long"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    values = {"ARI_PASSWORD": "x", "STATE_DIR": str(tmp_path), "USERS_FILE": str(tmp_path / "users")}
    for name, value in (values | {"SUDO_USER": "ops", "SSH_CONNECTION": "192.0.2.9 40000 192.0.2.1 22"}).items():
        monkeypatch.setenv(name, value)
    yield tmp_path
    structlog.reset_defaults()  # a command configures it for its own standard error


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, [*arguments], input=f"{PASSWORD}\n")
    assert result.exit_code == status, result.output
    return result.stdout


def entries(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("audit", "export", *arguments).splitlines()]


def test_what_the_command_line_does_is_recorded(folder: Path) -> None:
    run("user", "add", "1001")
    run("user", "add", "1001", "--role", "agent")
    run("user", "password", "1001")
    run("user", "lock", "1001")
    run("user", "unlock", "1001")
    run("user", "role", "1001", "user")
    run("user", "class", "1001", "internal")
    run("user", "link", "1001", "subject-1", "--issuer", "https://idp.example.com")
    run("user", "rename", "1001", "1002")
    run("user", "remove", "1002")
    run("user", "remove", "nobody", status=1)
    seen = list(reversed(entries()))
    assert [one["action"] for one in seen] == [
        "audit.begin",
        "user.create",
        "user.roles",
        "user.password",
        "user.password",
        "user.lock",
        "user.unlock",
        "user.roles",
        "user.class",
        "user.link",
        "user.rename",
        "user.remove",
        "audit.export",
    ]
    assert {(one["actorKind"], one["actor"], one["address"]) for one in seen[1:]} == {("cli", "ops", "192.0.2.9")}
    assert seen[2]["details"] == {"id": seen[1]["details"]["id"], "old": ["user"], "new": ["agent"]}
    assert PASSWORD not in (folder / "audit.db").read_bytes().decode("latin-1")
    assert "cli:ops from 192.0.2.9  user.lock 1001  ok" in run("audit", "list", "--action", "user.lock")
    assert len(entries("--action", "user.password")) == 2


def test_a_broken_chain_is_a_status(folder: Path) -> None:
    run("user", "add", "1001")
    run("user", "lock", "1001")
    said = run("audit", "verify")
    assert "3 entries, the chain is whole" in said
    known = said.split("last entry  ")[1].strip()
    run("user", "unlock", "1001")
    run("audit", "verify", "--known", known)
    run("audit", "verify", "--known", "x", status=2)
    run("audit", "verify", "--known", f"3:{'0' * 64}", status=1)
    database = sa.create_engine(f"sqlite:///{folder / 'audit.db'}")
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE audit SET object = '1002' WHERE number = 3"))
    database.dispose()
    assert "entry 3: it was changed" in run("audit", "verify", status=1)


def test_the_program_of_the_documentation_checks_an_export(folder: Path) -> None:
    run("user", "add", "1001")
    run("user", "display-name", "1001", "Zentrale für alle")
    exported = run("audit", "export")
    text = (Path(__file__).parents[3] / "docs" / "AUDIT.md").read_text()
    program = text.split("```text\n")[1].split("```")[0]

    def check(lines: str) -> int:
        return subprocess.run([sys.executable, "-c", program], input=lines.encode(), check=False).returncode

    assert check(exported) == 0
    assert check(exported.replace("user.change", "user.lock")) == 1
    assert check("".join(line for line in exported.splitlines(True) if "user.create" not in line)) == 1


def test_an_audit_log_that_cannot_be_written_is_said(folder: Path) -> None:
    (folder / "audit.db").write_bytes(b"not a database" * 100)
    result = CliRunner().invoke(main, ["user", "add", "1001"], input=f"{PASSWORD}\n")
    assert result.exit_code == 0 and "The audit log cannot be used now" in result.stderr
    run("audit", "list", status=2)
