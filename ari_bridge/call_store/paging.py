"""Calls by when they began: of what the database has and what is known besides, one list, a piece at a time."""

import asyncio
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from ari_bridge.call_store import sqlite_file
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.rows import Row

Position = tuple[float, str]
"""Where one is in the list: when a call began (Unix seconds), and its id. The next piece begins behind it."""

NEWEST: Position = (float("inf"), "")


async def begun_before(
    path: Path, known: Iterable[Row], place: Position, at_most: int
) -> tuple[list[Row], Position | None]:
    """The rows behind `place`, newest first, and the place behind them; None: there are no others.

    `known`: rows that count before what the database has of their calls, newer ones last. So many more than `at_most`
    there may be. Raises StoreRefused: the database cannot be read.
    """
    known = list(known)  # now: what ends while the thread reads is in one of the two
    try:
        found = await asyncio.to_thread(sqlite_file.begun_before, path, place, at_most)
    except (sqlite3.Error, OSError) as error:
        raise StoreRefused(f"{path} cannot be read: {error}") from error
    after = _place(found[-1]) if len(found) == at_most else None
    rows = {row.id: row for row in found}
    for row in known:
        there = rows.get(row.id)
        if (
            _place(row) < place
            and (after is None or _place(row) >= after)
            and (not there or row.revision > there.revision)
        ):
            rows[row.id] = row
    return sorted(rows.values(), key=_place, reverse=True), after


def _place(row: Row) -> Position:
    return row.created_at, row.id
