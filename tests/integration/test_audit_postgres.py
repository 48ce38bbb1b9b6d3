"""The audit log in a real PostgreSQL: several writers, one chain, and a database that is away."""

import secrets
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from ari_bridge.audit import Action, AuditLog, audit_log, schema
from ari_bridge.sql import engine
from tests.component.audit.conftest import a_log, entries_of, killed_writers, until
from tests.real.postgres import Postgres
from tests.real.postgres import postgres as postgres

pytestmark = pytest.mark.real


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.make(f"audit{secrets.token_hex(4)}")


async def test_the_migrations_make_the_tables_that_the_code_reads(url: str, tmp_path: Path) -> None:
    async with a_log(tmp_path, url) as log:
        log.record(Action.USER_LOCK, "1001", text="Müller\0 ☃ \ud800", number=1e20, tiny=1e-7)
        assert (await entries_of(log, Action.USER_LOCK))[0].details["number"] == 1e20
        assert (await log.verify())[1] == []
    database = engine.postgresql_engine(url)

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        return list(compare_metadata(context, schema.metadata))

    async with database.connect() as connection:
        assert await connection.run_sync(compare) == []
    await database.dispose()


async def test_several_servers_write_one_chain(url: str, tmp_path: Path) -> None:
    said = killed_writers(tmp_path, ["a", "b", "c"], url)
    log = AuditLog(tmp_path, url=url)
    chain, breaks = await log.verify()
    assert breaks == [] and chain.entries >= len(said) + 4
    await log.close()


async def test_entries_wait_while_it_hangs_or_is_gone(
    postgres: Postgres, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "MAX_RETRY_S", 0.5)
    async with a_log(tmp_path, url) as log:
        await log.flush()
        postgres.kill()
        for number in range(5):
            log.record(Action.USER_LOCK, str(number))
        await until(lambda: not log.health.healthy)
        postgres.start()
        await until(lambda: log.health.healthy)
        assert [entry.object for entry in await entries_of(log, Action.USER_LOCK)] == list("01234")
        assert (await log.verify())[1] == []


async def test_an_edit_and_a_deletion_are_found(url: str, tmp_path: Path) -> None:
    async with a_log(tmp_path, url) as log:
        for number in range(5):
            log.record(Action.USER_LOCK, str(number))
        await log.flush()
        database = engine.postgresql_engine(url)
        async with database.begin() as connection:
            await connection.execute(sa.text("UPDATE audit SET object = 'x' WHERE number = 4"))
            await connection.execute(sa.text("DELETE FROM audit WHERE number = 6"))
        await database.dispose()
        assert [str(one) for one in (await log.verify())[1]] == ["entry 4: it was changed", "entry 6: it is missing"]
