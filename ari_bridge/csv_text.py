"""CSV (RFC 4180) that is safe to open in a spreadsheet. Pure."""

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime

CONTENT_TYPE = "text/csv; charset=utf-8; header=present"

# A spreadsheet takes such a cell for a formula, and callers choose their names: OWASP, "CSV Injection".
_FORMULA = re.compile(r"\s*[=+\-@]|[\t\r]")


def lines(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def text(value: str) -> str:
    """A cell; no spreadsheet takes it for a formula."""
    return f"'{value}" if _FORMULA.match(value) else value


def time(unix: float) -> str:
    """A cell: ISO 8601 in UTC, in milliseconds."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
