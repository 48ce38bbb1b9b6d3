"""What may be asked of the call detail records. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from ari_bridge.cdr.cdr import Cdr
from ari_bridge.cursor import Cursor
from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome

MAX_PAGE_ROWS = 500
"""Of one page."""


class Match(Enum):
    """How `Query.number` is looked for in the caller, the target, and who was talked to; case does not matter."""

    CONTAINS = "contains"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows, newest first. What is None or "" does not matter. Times are Unix seconds, of the call's begin."""

    user: str | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    number: str = ""
    match: Match = Match.CONTAINS
    since: float | None = None
    until: float | None = None  # not included
    min_seconds: float = 0.0  # of talk
    cursor: Cursor | None = None
    limit: int = 50  # at most MAX_PAGE_ROWS


class CdrPage(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first."""

    cdrs: tuple[Cdr, ...]
    next_cursor: Annotated[str | None, Meta(description="`cursor` of the next page; null on the last one")]
