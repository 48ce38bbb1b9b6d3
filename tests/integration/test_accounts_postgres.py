"""Users and API keys in a real PostgreSQL: two servers know the same, and a key ends in both."""

import asyncio
import secrets
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from ari_bridge.accounts import Accounts, schema
from ari_bridge.sql import engine
from tests.real.postgres import Postgres
from tests.real.postgres import postgres as postgres

pytestmark = pytest.mark.real


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.make(f"accounts{secrets.token_hex(4)}")


async def test_the_migrations_make_the_tables_that_the_code_reads(url: str, tmp_path: Path) -> None:
    accounts = Accounts(tmp_path, tmp_path / "users", url=url)
    await accounts.open()
    await accounts.close()
    database = engine.postgresql_engine(url)

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        return list(compare_metadata(context, schema.metadata))

    async with database.connect() as connection:
        assert await connection.run_sync(compare) == []
    await database.dispose()


async def test_a_key_of_one_server_is_known_to_the_other_until_it_is_revoked(url: str, tmp_path: Path) -> None:
    one, other = (Accounts(tmp_path / name, tmp_path / "users", url=url) for name in ("one", "other"))
    await one.start()
    await other.start()
    try:
        key, old = await one.api_keys.create("shop", ["dial", "receive"], origins=["https://shop.example.com"])
        async with asyncio.timeout(5):
            while not other.api_keys.verify(key.id, old):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert other.api_keys.find(key.id) == key
        _, new = await other.api_keys.rotate(key.id, 3600)
        assert [found[1] for found in (other.api_keys.verify(key.id, each) for each in (old, new)) if found] == [1, 2]
        one.api_keys.used(key.id)
        await one.api_keys.write_used()
        await other.api_keys.revoke(key.id)
        async with asyncio.timeout(5):
            while one.api_keys.holds(key.id, 1):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await one.add("1001", "")
        await one.rename("1001", "1002")
        assert await other.free_since("1001") > 0 and await other.free_since("1003") == 0
        database = engine.postgresql_engine(url)
        async with database.connect() as connection:
            stored = (await connection.execute(sa.select(schema.api_keys))).one()
        await database.dispose()
        assert stored.last_used_at and stored.revoked_at and old not in str(stored) and new not in str(stored)
    finally:
        await one.close()
        await other.close()
