"""Call detail records as CSV (RFC 4180), for spreadsheets. Pure."""

from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec

from ari_bridge import csv_text
from ari_bridge.cdr.cdr import Cdr

COLUMNS = Cdr.__struct_encode_fields__
_NAMES = Cdr.__struct_fields__
_TIMES = frozenset({"created_at", "ringing_at", "answered_at", "ended_at"})


def header() -> str:
    """The first line."""
    return csv_text.lines([COLUMNS])


def lines(cdrs: Iterable[Cdr]) -> str:
    """A line for each record. Times are ISO 8601 in UTC, lists and objects JSON, empty ones are left empty."""
    return csv_text.lines([_cell(name, getattr(cdr, name)) for name in _NAMES] for cdr in cdrs)


def _cell(name: str, value: Any) -> str:
    if value is None or value in ((), {}):
        return ""
    match value:
        case Enum():
            return str(value.value)
        case float() if name in _TIMES:
            return csv_text.time(value)
        case float():
            return f"{value:.3f}"
        case str():
            return csv_text.text(value)
        case tuple() | dict():
            return msgspec.json.encode(value).decode()
    return str(value)
