"""Users in a real database: imported once, changed by a command line beside a server, many of them."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from typer.testing import CliRunner

from ari_bridge.accounts import Accounts, AccountsUnavailable, InvalidUser, passwords, schema
from ari_bridge.accounts.database import _MIGRATIONS, Change
from ari_bridge.accounts.users_file import UsersFile
from ari_bridge.audit import Action, NoAudit
from frontend.cli.commands import main

GOOD = "four other words, all long"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for name, value in {"ARI_PASSWORD": "x", "STATE_DIR": str(tmp_path), "USERS_FILE": str(tmp_path / "users")}.items():
        monkeypatch.setenv(name, value)
    yield tmp_path
    structlog.reset_defaults()  # a command configures it for its own standard error


def run(*arguments: str, password: str = GOOD, fails: bool = False) -> str:
    result = CliRunner().invoke(main, ["user", *arguments], input=f"{password}\n")
    assert (result.exit_code != 0) is fails, result.output
    return result.output


def test_the_migrations_make_the_tables_that_the_code_reads(tmp_path: Path) -> None:
    database = sa.create_engine(f"sqlite:///{tmp_path / 'accounts.db'}")
    with database.begin() as connection:
        assert not _MIGRATIONS.are_done(connection)
        _MIGRATIONS.run(connection)
        assert _MIGRATIONS.are_done(connection)
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
    database.dispose()


def test_a_refused_change_of_a_user_changes_nothing(folder: Path) -> None:
    run("add", "1001", "--role", "admin", "--no-must-change")
    hashes = "SELECT password_hash, generation, roles FROM users"

    def stored() -> list[str]:
        database = sa.create_engine(f"sqlite:///{folder / 'accounts.db'}")
        with database.begin() as connection:
            rows = [str(row) for row in connection.execute(sa.text(hashes))]
        database.dispose()
        return rows

    before = stored()
    assert "no role" in run("add", "1001", "--role", "king", password="five other words, all long", fails=True)
    assert "only admin" in run("add", "1001", "--role", "user", "--generate", fails=True)
    assert "fewer than 12" in run("add", "1001", "--role", "agent", "--role", "admin", password="short", fails=True)
    assert "display name" in run("add", "1001", "--display-name", "two\nlines", "--generate", fails=True)
    assert stored() == before
    run("add", "1001", "--display-name", "Ada", "--generate")
    assert stored() != before


def test_users_by_the_command_line(folder: Path) -> None:
    run("add", "1001", "--role", "user", "--role", "admin")
    assert "fewer than 12" in run("add", "1002", password="short", fails=True)
    assert "common" in run("add", "1002", password="password12345", fails=True)
    assert "no role" in run("add", "1002", "--role", "king", fails=True)
    assert len(run("add", "1002", "--generate").splitlines()[0]) >= 12
    for name in ("-1", "..", "_7XXX", "h", "fax", "ab_x", f"guest-{'a' * 12}-{'0' * 16}"):
        assert "is no user name" in run("add", "--generate", "--", name, fails=True)
        assert "is no user name" in run("rename", "--", "1002", name, fails=True)
    assert "must change the password" in run("list", "--details")
    run("password", "1001", "--no-must-change")
    assert "1001\tuser,admin\n" in run("list", "--details")
    run("class", "1002", "national")
    run("reset-second-factor", "1002")
    made = run("sip-password", "1002").splitlines()
    assert len(made[0]) == 24 and "realm ari-bridge" in made[1]
    assert "no user" in run("sip-password", "1009", fails=True)
    run("lock", "1002")
    assert "1001\tuser,admin" in run("list", "--details") and "locked" in run("list", "--details")
    run("unlock", "1002")
    assert "SIP password ended" in run("rename", "1002", "1003")
    assert "no SIP password any more" in run("sip-password", "1003", "--remove")
    run("remove", "1003")
    assert run("list") == "1001\n"
    assert "no user" in run("lock", "1003", fails=True)
    for command in (["lock", "1001"], ["remove", "1001"], ["role", "1001", "user"]):
        assert "only admin" in run(*command, fails=True)
    assert "no class of service 'golden'" in run("class", "1001", "golden", fails=True)
    run("display-name", "1001", "Reception")
    run("role", "1001", "user", "admin")
    assert stat.S_IMODE((folder / "accounts.db").stat().st_mode) == 0o600
    assert made[0].encode() not in (folder / "accounts.db").read_bytes()
    assert GOOD.encode() not in (folder / "accounts.db").read_bytes()


async def test_the_users_file_is_imported_once(folder: Path) -> None:
    UsersFile(folder / "users").add("1001", "right", "user", "agent")
    first = Accounts(folder, folder / "users")
    await first.open()
    assert first.verify("1001", "right") and not first.verify("1001", "wrong") and not first.verify("x", "right")
    assert [(user.name, user.roles, user.name_since) for user in first.all()] == [("1001", ("user", "agent"), 0.0)]
    await first.remove("1001")
    await first.close()
    UsersFile(folder / "users").add("1002", "right")
    again = Accounts(folder, folder / "users")
    await again.open()
    assert again.names() == []
    await again.close()


async def test_an_import_that_is_not_stored_is_not_told_as_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    UsersFile(folder / "users").add("1001", "right")
    recorded: list[Action] = []
    audit = NoAudit()
    monkeypatch.setattr(audit, "record", lambda action, *_, **__: recorded.append(action))
    accounts = Accounts(folder, folder / "users", audit=audit)
    changing = accounts._database.changing

    @asynccontextmanager
    async def refused() -> AsyncIterator[Change]:
        async with changing() as change:
            yield change
            raise AccountsUnavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(accounts._database, "changing", refused)
        with pytest.raises(AccountsUnavailable):
            await accounts.open()
    assert recorded == []
    await accounts.open()
    assert recorded == [Action.USER_CREATE] and accounts.names() == ["1001"]
    await accounts.close()


async def test_a_server_knows_what_another_process_has_changed(folder: Path) -> None:
    server, other = Accounts(folder, folder / "users"), Accounts(folder, folder / "users")
    heard: list[str] = []
    server.on_change(lambda user: heard.append(user.name))
    await server.start()
    await other.open()
    await other.add("1001", passwords.hash_password(GOOD))
    with pytest.raises(InvalidUser, match="already"):
        await other.add("1001", "x")
    async with asyncio.timeout(10):
        while not heard:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert heard == ["1001"] and server.verify("1001", GOOD)
    await server.close()
    await other.close()


async def test_ten_thousand_users(folder: Path) -> None:
    [hashed] = {passwords.hash_password(GOOD)}
    (folder / "users").write_text("".join(f"{number}:{hashed}\n" for number in range(10000, 20000)))
    accounts = Accounts(folder, folder / "users")
    await accounts.open()
    await accounts.close()
    accounts = Accounts(folder, folder / "users")
    await accounts.open()
    assert len(accounts.names()) == 10000 and accounts.find("19999")
    await accounts.set_locked("15000", True)
    await accounts.close()
