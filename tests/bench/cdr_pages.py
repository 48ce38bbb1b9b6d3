"""`python -m tests.bench.cdr_pages [URL]`: how long pages of call detail records take, of 100,000 rows.

In an SQLite file, or in the database of the URL (PostgreSQL), whose table is left filled.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from ari_bridge.cdr import Match, Query
from ari_bridge.cdr.database import Database
from ari_bridge.cursor import Cursor
from ari_bridge.outcomes import Outcome
from deploy.demo.steps import say
from tests.component.cdr.many import a_record, filled

ROWS = 100_000


async def measured(database: Database) -> str:
    """Milliseconds for a page of each kind, the slowest of three. What a screen would show."""
    last = a_record(ROWS // 2)
    queries = {
        "newest": Query(),
        "deep": Query(cursor=Cursor(last.created_at, last.call_id)),
        "user": Query(user="alice"),
        "user+outcome": Query(user="alice", outcome=Outcome.COMPLETED),
        "outcome": Query(outcome=Outcome.BUSY),
        "prefix": Query(number="030", match=Match.PREFIX),
        "contains, rare": Query(number="30009997"),
        "contains, none": Query(number="no such number"),
        "long talks": Query(min_seconds=99),
        "500 rows": Query(limit=500),
    }
    figures = []
    for name, query in queries.items():
        slowest = 0.0
        for _ in range(3):
            begun = time.perf_counter()
            await database.page(query)
            slowest = max(slowest, time.perf_counter() - begun)
        figures.append(f"{name} {slowest * 1000:.0f}")
    return ", ".join(figures)


async def run(url: str, folder: Path) -> None:
    database = Database(url, folder / "cdr.sqlite")
    await database.open()
    try:
        await filled(database, ROWS)
        say(f"{ROWS} rows, ms: {await measured(database)}")
    finally:
        await database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(sys.argv[1] if len(sys.argv) > 1 else "", Path(folder)))
