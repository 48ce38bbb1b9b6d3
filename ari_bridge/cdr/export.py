"""Call detail records as CSV (RFC 4180), for spreadsheets. Pure."""

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec

from ari_bridge.cdr.cdr import Cdr

CONTENT_TYPE = "text/csv; charset=utf-8; header=present"

COLUMNS = Cdr.__struct_encode_fields__
_NAMES = Cdr.__struct_fields__
_TIMES = frozenset({"created_at", "ringing_at", "answered_at", "ended_at"})
# A spreadsheet takes such a cell for a formula, and callers choose their names: OWASP, "CSV Injection".
_FORMULA = re.compile(r"\s*[=+\-@]|[\t\r]")


def header() -> str:
    """The first line."""
    return _lines([COLUMNS])


def lines(cdrs: Iterable[Cdr]) -> str:
    """A line for each record. Times are ISO 8601 in UTC, lists and objects JSON, empty ones are left empty."""
    return _lines([_cell(name, getattr(cdr, name)) for name in _NAMES] for cdr in cdrs)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _cell(name: str, value: Any) -> str:
    if value is None or value in ((), {}):
        return ""
    match value:
        case Enum():
            return str(value.value)
        case float() if name in _TIMES:
            return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case float():
            return f"{value:.3f}"
        case str():
            return f"'{value}" if _FORMULA.match(value) else value
        case tuple() | dict():
            return msgspec.json.encode(value).decode()
    return str(value)
