"""API keys in a real database: made, used, rotated, revoked, by a command line beside a server."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from typer.testing import CliRunner

from ari_bridge.accounts import Accounts, ApiKey, InvalidUser
from ari_bridge.accounts.api_key import hash_secret, parse_key
from ari_bridge.accounts.database import _MIGRATIONS
from frontend.cli.commands import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for name, value in {"ARI_PASSWORD": "x", "STATE_DIR": str(tmp_path), "USERS_FILE": str(tmp_path / "users")}.items():
        monkeypatch.setenv(name, value)
    yield tmp_path
    structlog.reset_defaults()  # a command configures it for its own standard error


def accounts_in(folder: Path) -> Accounts:
    return Accounts(folder, folder / "users")


def run(*arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(main, ["key", *arguments])
    assert (result.exit_code != 0) is fails, result.output
    return result.output


async def test_a_key_by_the_command_line_is_known_to_a_running_server(folder: Path) -> None:
    server = accounts_in(folder)
    await server.start()
    try:
        changed: list[ApiKey] = []
        server.api_keys.on_change(changed.append)
        arguments = ("create", "CRM", "--scope", "dial", "--address", "10.0.0.0/8", "--expires", "90d")
        token = (await asyncio.to_thread(run, *arguments)).strip()
        key_id, secret = parse_key(token)
        async with asyncio.timeout(5):
            while not changed:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        found = server.api_keys.verify(key_id, secret)
        assert found and found[0].scopes == ("dial",) and found[1] == 1
        assert 89 * 86400 < (found[0].expires_at or 0) - time.time() <= 90 * 86400
        assert (
            server.api_keys.verify(key_id, secret[:-1]) is None and server.api_keys.verify("ab_nothing", secret) is None
        )
        await asyncio.to_thread(run, "revoke", key_id)
        async with asyncio.timeout(5):
            while server.api_keys.holds(key_id, 1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert changed[-1].revoked_at and server.api_keys.verify(key_id, secret) is None
    finally:
        await server.close()
    assert "revoked" in await asyncio.to_thread(run, "list")


def test_what_the_command_line_refuses(folder: Path) -> None:
    assert "no scope" in run("create", "x", "--scope", "everything", fails=True)
    assert "not an address" in run("create", "x", "--scope", "dial", "--address", "10.0.0.1/8", fails=True)
    assert "no origin" in run("create", "x", "--scope", "dial", "--origin", "https://a.example/page", fails=True)
    assert "no duration" in run("create", "x", "--scope", "dial", "--expires", "soon", fails=True)
    assert "label" in run("create", " ", "--scope", "dial", fails=True)
    assert "no API key" in run("rotate", "ab_000000000000", fails=True)
    assert "no API key" in run("show", "ab_000000000000", fails=True)
    assert run("list") == ""
    made = run("create", "Site", "--scope", "dial", "--origin", "https://App.example.com/").split("\n")
    assert "Whoever opens a page" in made[1]
    shown = run("show", parse_key(made[0])[0])
    assert "origins: https://app.example.com" in shown and "state: valid" in shown
    assert made[0] not in shown and parse_key(made[0])[1] not in shown


async def test_no_secret_is_stored_and_a_key_outlives_the_process(tmp_path: Path) -> None:
    first = accounts_in(tmp_path)
    await first.open()
    key, secret = await first.api_keys.create("CRM", ["dial"])
    # Not closed, as after a kill: what was committed is on the disk.
    second = accounts_in(tmp_path)
    await second.open()
    assert second.api_keys.verify(key.id, secret)
    stored = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in tmp_path.iterdir()))
    assert hash_secret(secret).encode() in stored and secret.encode() not in stored
    await second.close()
    await first.close()


async def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = accounts_in(tmp_path)
    await accounts.open()
    key, old = await accounts.api_keys.create("CRM", ["dial"])
    rotated, new = await accounts.api_keys.rotate(key.id, 3600)
    assert rotated.generation == 2
    verified = [accounts.api_keys.verify(key.id, secret) for secret in (old, new)]
    assert [found[1] for found in verified if found] == [1, 2]
    assert accounts.api_keys.holds(key.id, 1) and accounts.api_keys.holds(key.id, 2)
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)
    assert accounts.api_keys.verify(key.id, old) is None and accounts.api_keys.verify(key.id, new)
    assert not accounts.api_keys.holds(key.id, 1) and accounts.api_keys.holds(key.id, 2)
    await accounts.api_keys.rotate(key.id, 0)
    assert accounts.api_keys.verify(key.id, new) is None and not accounts.api_keys.holds(key.id, 2)
    await accounts.api_keys.revoke(key.id)
    with pytest.raises(InvalidUser, match="no longer valid"):
        await accounts.api_keys.rotate(key.id, 0)
    await accounts.close()


async def test_the_end_of_a_key_is_told_without_any_change(tmp_path: Path) -> None:
    accounts = accounts_in(tmp_path)
    await accounts.start()
    key, secret = await accounts.api_keys.create("CRM", ["dial"], expires_at=time.time() + 0.3)
    told: list[bool] = []
    accounts.api_keys.on_change(lambda changed: told.append(accounts.api_keys.holds(changed.id, 1)))
    assert accounts.api_keys.verify(key.id, secret)
    async with asyncio.timeout(5):
        while not told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert told == [False] and accounts.api_keys.verify(key.id, secret) is None
    await accounts.close()


async def test_the_last_use_is_written_once_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, other = accounts_in(tmp_path), accounts_in(tmp_path)
    await accounts.open()
    key, _ = await accounts.api_keys.create("CRM", ["dial"])
    now = time.time()
    for later in (0.0, 30.0, 61.0):
        monkeypatch.setattr(time, "time", lambda at=now + later: at)
        accounts.api_keys.used(key.id)
        await accounts.api_keys.write_used_if_due()
        assert (accounts.api_keys.find(key.id) or key).last_used_at == now + later
    monkeypatch.undo()
    with sa.create_engine(f"sqlite:///{tmp_path / 'accounts.db'}").connect() as database:
        assert database.scalar(sa.text("SELECT last_used_at FROM api_keys")) == now + 61.0
    accounts.api_keys.used(key.id)
    await accounts.close()  # what is not written yet is written then
    await other.open()
    assert now <= ((other.api_keys.find(key.id) or key).last_used_at or 0) < now + 61.0
    await other.close()


def test_a_database_of_the_version_before_is_brought_up(tmp_path: Path) -> None:
    database = sa.create_engine(f"sqlite:///{tmp_path / 'accounts.db'}")
    with database.begin() as connection:
        _MIGRATIONS.run(connection)
    with database.begin() as connection:
        _MIGRATIONS.move(connection, "0003", back=True)
        assert not _MIGRATIONS.are_done(connection)
    with database.begin() as connection:
        _MIGRATIONS.run(connection)
        assert _MIGRATIONS.are_done(connection)
        assert connection.scalar(sa.text("SELECT count(*) FROM api_keys")) == 0
    database.dispose()


async def test_no_user_gets_the_name_of_a_key(tmp_path: Path) -> None:
    accounts = accounts_in(tmp_path)
    await accounts.open()
    await accounts.add("1001", "")
    with pytest.raises(InvalidUser, match="API keys"):
        await accounts.add("ab_7f3k2m9qx4wz", "")
    with pytest.raises(InvalidUser, match="API keys"):
        await accounts.rename("1001", "ab_7f3k2m9qx4wz")
    await accounts.close()
