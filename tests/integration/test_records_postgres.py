"""Call detail records in a real PostgreSQL: made from nothing, asked, and away in every way."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec import structs

from ari_bridge.cdr import CdrUnavailable, database, from_call, migrate, schema, writer
from ari_bridge.cdr.database import Database
from ari_bridge.hooks import CallEnded
from ari_bridge.outcomes import Cause
from tests.component.cdr.conftest import Server, a_server, an_ended_call
from tests.component.cdr.eventually import healthy, recorded, unhealthy
from tests.component.cdr.killed import ended_until_killed
from tests.component.cdr.many import asked_in_every_way, every_page_comes_once
from tests.real.postgres import Postgres
from tests.real.postgres import postgres as postgres

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(writer, "MAX_RETRY_S", 0.2)
    monkeypatch.setattr(writer, "BATCH_DELAY_S", 0.01)


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.make(f"cdr{secrets.token_hex(4)}")


@pytest.fixture
async def opened(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(url, tmp_path)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def server(url: str, tmp_path: Path) -> AsyncIterator[Server]:
    async with a_server(tmp_path / "state", url=url) as server:
        yield server


def and_end(server: Server, *call_ids: str) -> None:
    for call_id in call_ids:
        server.end(an_ended_call(call_id))


# --- as it should be ---------------------------------------------------------------


async def test_a_call_that_has_ended_has_a_row(server: Server) -> None:
    call = an_ended_call("call1", caller_name="Müller\0 ☃ \ud800", answered_at=1764000010.123456)
    server.end(call)
    await recorded(server, ["call1"])
    assert await server.records.get("call1") == from_call(call)
    await server.records.give_feedback("call1", {"stars": 5})
    assert (await server.records.get("call1")).feedback == {"stars": 5}


async def test_the_migrations_make_what_the_code_reads(opened: Database) -> None:
    def differences(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), schema.metadata)

    async with opened._engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_servers_that_start_at_once_make_the_tables_once(url: str, tmp_path: Path) -> None:
    databases = [Database(url, tmp_path) for _ in range(6)]
    await asyncio.gather(*(one.open() for one in databases))
    await databases[0].put([from_call(an_ended_call("call1"))])
    assert await databases[5].get("call1")
    for one in databases:
        await one.close()


async def test_lists_and_objects_are_such_in_the_database(opened: Database) -> None:
    record = structs.replace(from_call(an_ended_call("call1")), recording=("a", "b"), quality={"mos": 4.1})
    await opened.put([record])
    assert await opened.get("call1") == record
    async with opened._engine.connect() as connection:
        asked = sa.text("SELECT recording ->> 1, (quality ->> 'mos')::float FROM cdr")
        assert (await connection.execute(asked)).one() == ("b", 4.1)


async def test_filters(opened: Database) -> None:
    await asked_in_every_way(opened)


async def test_pages_come_once_while_rows_come(opened: Database) -> None:
    await every_page_comes_once(opened)


async def test_a_row_that_is_refused_keeps_no_other_back(server: Server) -> None:
    and_end(server, "good1")
    server.hooks.emit(CallEnded(an_ended_call("bad_one", cause=Cause(2**40))))
    and_end(server, "good2")
    await recorded(server, ["good1", "good2"])
    assert server.records.healthy
    assert await server.row("bad_one") is None


# --- trouble -----------------------------------------------------------------------


async def test_one_that_is_killed_loses_no_row(server: Server, postgres: Postgres) -> None:
    and_end(server, "before")
    await recorded(server, ["before"])
    postgres.kill()
    try:
        during = [f"during{number}" for number in range(500)]
        and_end(server, *during)
        await unhealthy(server)
        assert "PostgreSQL cdr" in server.records.reason
        with pytest.raises(CdrUnavailable):
            await server.records.get("before")
    finally:
        postgres.start()
    await healthy(server)
    await recorded(server, ["before", *during])


async def test_one_that_is_restarted_loses_no_row(server: Server, postgres: Postgres) -> None:
    and_end(server, "before")
    await recorded(server, ["before"])
    postgres.stop()
    postgres.start()
    and_end(server, "after")
    await recorded(server, ["before", "after"])
    await healthy(server)


async def test_one_that_hangs_is_given_up_and_found_again(
    server: Server, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    # First of all: what is being asked when it hangs has the deadline that stood when it was begun.
    monkeypatch.setattr(database, "QUERY_TIMEOUT_S", 1.0)
    monkeypatch.setattr(migrate, "MIGRATION_TIMEOUT_S", 1.0)
    and_end(server, "before")
    await recorded(server, ["before"])
    with postgres.hung():
        and_end(server, "during")
        await unhealthy(server)
        assert "did not answer in time" in server.records.reason
        with pytest.raises(CdrUnavailable, match="did not answer in time"):
            await server.records.get("before")
    monkeypatch.undo()
    await healthy(server)
    await recorded(server, ["before", "during"])


async def test_one_that_is_not_there_at_the_start_is_awaited(url: str, postgres: Postgres, tmp_path: Path) -> None:
    postgres.stop()
    try:
        async with a_server(tmp_path / "state", url=url) as server:
            and_end(server, "early")
            await unhealthy(server)
            postgres.start()
            await recorded(server, ["early"])
    finally:
        postgres.stop()
        postgres.start()


async def test_a_wrong_password_is_told_and_never_shown(url: str, postgres: Postgres, tmp_path: Path) -> None:
    wrong = postgres.url(url.rpartition("/")[2], "hunter2")
    async with a_server(tmp_path / "state", url=wrong) as server:
        await unhealthy(server)
        assert "password authentication failed" in server.records.reason
        assert "hunter2" not in server.records.reason


async def test_a_database_that_there_is_not_is_told(postgres: Postgres, tmp_path: Path) -> None:
    async with a_server(tmp_path / "state", url=postgres.url("nowhere")) as server:
        await unhealthy(server)
        assert '"nowhere" does not exist' in server.records.reason


async def test_a_server_that_is_killed_has_lost_no_row(url: str, tmp_path: Path) -> None:
    chance = random.Random(6)
    ended: list[str] = []
    for round_ in range(3):
        ended += ended_until_killed(tmp_path / "state", f"round{round_}", chance, url)
        async with a_server(tmp_path / "state", url=url) as server:
            await recorded(server, ended)
