"""Call detail records: a row for each ended call, in SQLite or PostgreSQL, and questions about them.

Knows calls as data, and the hooks that tell of their end; knows neither peers nor the front end.
"""

from ari_bridge.cdr.cdr import Cdr, from_call, owner
from ari_bridge.cdr.errors import CdrUnavailable
from ari_bridge.cdr.query import MAX_PAGE_ROWS, CdrPage, Match, Query
from ari_bridge.cdr.service import CdrService, no_record

__all__ = [
    "MAX_PAGE_ROWS",
    "Cdr",
    "CdrService",
    "CdrUnavailable",
    "Match",
    "CdrPage",
    "Query",
    "no_record",
    "from_call",
    "owner",
]
