"""Questions about many rows, answered by SQLite; tests/integration asks a PostgreSQL the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ari_bridge.cdr.database import Database
from tests.component.cdr.many import asked_in_every_way, every_page_comes_once


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database("", tmp_path / "cdr.sqlite")
    await database.open()
    yield database
    await database.close()


async def test_filters(database: Database) -> None:
    await asked_in_every_way(database)


async def test_pages_come_once_while_rows_come(database: Database) -> None:
    await every_page_comes_once(database)
