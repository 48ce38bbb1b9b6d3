"""Call detail records to rows and back, and the SQL statements, which are built here and executed elsewhere."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ari_bridge.cdr.cdr import Cdr
from ari_bridge.cdr.query import Match, Query
from ari_bridge.cdr.schema import cdr
from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome

_NOT_THE_CALLS = frozenset({"feedback"})
"""Given after the end: to write the call's record once more must not take them back."""


def upsert(dialect: str) -> sa.Insert:
    """Insert a row, or update all columns of the same call's that come from the call."""
    insert = postgresql.insert(cdr) if dialect == "postgresql" else sqlite.insert(cdr)
    changed: dict[str, sa.ColumnElement[Any]] = {
        column.name: insert.excluded[column.name]
        for column in cdr.columns
        if not column.primary_key and column.name not in _NOT_THE_CALLS
    }
    # What one process knew of the sound, the next one, which releases the call, may not know.
    known = _merged(dialect, cdr.c.quality, insert.excluded.quality)
    changed |= {"quality": known, "codecs": sa.func.coalesce(sa.func.nullif(insert.excluded.codecs, ""), cdr.c.codecs)}
    same = cdr.c.created_at == insert.excluded.created_at  # never another call's, whatever its id is
    return insert.on_conflict_do_update(index_elements=[cdr.c.call_id], set_=changed, where=same)


def _merged(dialect: str, old: Any, new: Any) -> sa.ColumnElement[Any]:
    """One JSON object with the members of both; the new ones count."""
    if dialect == "postgresql":
        return sa.type_coerce(old, postgresql.JSONB).op("||")(sa.type_coerce(new, postgresql.JSONB))
    return sa.func.json_patch(old, new)


def page(query: Query) -> sa.Select[Any]:
    """One row more than a page has, newest first: whether it comes says whether there is a next page."""
    column = cdr.c
    wanted = sa.select(cdr)
    if query.user is not None:
        wanted = wanted.where(column.user == query.user)
    if query.direction is not None:
        wanted = wanted.where(column.direction == query.direction.value)
    if query.outcome is not None:
        wanted = wanted.where(column.outcome == query.outcome.value)
    if query.number:
        wanted = wanted.where(_has_number(query.number, query.match))
    if query.since is not None:
        wanted = wanted.where(column.created_at >= query.since)
    if query.until is not None:
        wanted = wanted.where(column.created_at < query.until)
    if query.min_seconds > 0:
        wanted = wanted.where(column.talk_seconds >= query.min_seconds)
    if query.cursor is not None:
        after = sa.tuple_(sa.literal(query.cursor.time, sa.Double), sa.literal(query.cursor.id, sa.Text))
        wanted = wanted.where(sa.tuple_(column.created_at, column.call_id) < after)
    return wanted.order_by(column.created_at.desc(), column.call_id.desc()).limit(query.limit + 1)


def purge(created_before: float, at_most: int) -> sa.Delete:
    oldest = sa.select(cdr.c.call_id).where(cdr.c.created_at < created_before).order_by(cdr.c.created_at).limit(at_most)
    return sa.delete(cdr).where(cdr.c.call_id.in_(oldest))


def known(call_ids: Sequence[str]) -> sa.Select[Any]:
    return sa.select(cdr.c.call_id, cdr.c.ended_at).where(cdr.c.call_id.in_(call_ids))


def to_row(record: Cdr) -> dict[str, Any]:
    values = msgspec.structs.asdict(record)
    return values | {
        "direction": record.direction.value,
        "outcome": record.outcome.value,
        "parties": list(record.parties),
        "recording": list(record.recording),
    }


def to_cdr(row: sa.Row[Any]) -> Cdr:
    """Raises ValueError: a value is none that we know."""
    values = dict(row._mapping)
    values["direction"] = Direction(values["direction"])
    values["outcome"] = Outcome(values["outcome"])
    values["parties"] = tuple(values["parties"])
    values["recording"] = tuple(values["recording"])
    return Cdr(**values)


def _has_number(number: str, match: Match) -> sa.ColumnElement[bool]:
    columns = (cdr.c.caller, cdr.c.target, cdr.c.connected_number)
    if match is Match.PREFIX:
        return sa.or_(*(column.istartswith(number, autoescape=True) for column in columns))
    return sa.or_(*(column.icontains(number, autoescape=True) for column in columns))
