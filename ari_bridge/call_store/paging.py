"""Calls by when they began: of what the database has and what is known besides, one list, a piece at a time."""

import asyncio
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from ari_bridge.call_store import sqlite_file
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.rows import Row
from ari_bridge.cursor import Cursor


async def started_before(
    path: Path, known: Iterable[Row], cursor: Cursor, at_most: int
) -> tuple[list[Row], Cursor | None]:
    """A page of rows, newest first, and the cursor of the next page (None: this is the last).

    Args:
        path: the database.
        known: rows that take precedence over what the database has of their calls, newer ones last. The page may have
            so many more than `at_most`.
        cursor: where the page before ended.
        at_most: rows to read from the database.

    Raises StoreRefused: the database cannot be read.
    """
    known = list(known)  # now: a call that ends while the thread reads is in one of the two
    try:
        found = await asyncio.to_thread(sqlite_file.started_before, path, cursor, at_most)
    except (sqlite3.Error, OSError) as error:
        raise StoreRefused(f"{path} cannot be read: {error}") from error
    following = _position(found[-1]) if len(found) == at_most else None
    rows = {row.id: row for row in found}
    for row in known:
        stored = rows.get(row.id)
        if (
            _position(row) < cursor
            and (following is None or _position(row) >= following)
            and (not stored or row.revision > stored.revision)
        ):
            rows[row.id] = row
    return sorted(rows.values(), key=_position, reverse=True), following


def _position(row: Row) -> Cursor:
    return Cursor(row.created_at, row.id)
