"""What may be asked of the call detail records. Pure."""

import base64
import binascii
import math
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from ari_bridge.cdr.cdr import Cdr
from ari_bridge.errors import InvalidRequest
from ari_bridge.fsm.call import Direction
from ari_bridge.ids import CALL_ID_CHARACTERS
from ari_bridge.outcomes import Outcome

MOST_ROWS = 500
"""Of one page."""


class Match(Enum):
    """How `Query.number` is looked for in the caller, the target, and who was talked to; case does not matter."""

    CONTAINS = "contains"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: the next one begins after it."""

    created_at: float
    call_id: str

    def __str__(self) -> str:
        packed = msgspec.json.encode((self.created_at, self.call_id))
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def of(cls, cdr: Cdr) -> "Cursor":
        return cls(cdr.created_at, cdr.call_id)

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """What `str` made. Raises InvalidRequest."""
        try:
            packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            created_at, call_id = msgspec.json.decode(packed, type=tuple[float, str])
            if not math.isfinite(created_at) or "\0" in call_id or len(call_id) > CALL_ID_CHARACTERS:
                raise ValueError
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            raise InvalidRequest(
                "The cursor is not one that was given: leave it out to begin anew.", field="cursor"
            ) from None
        return cls(created_at, call_id)


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
    limit: int = 50  # at most MOST_ROWS


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first."""

    cdrs: tuple[Cdr, ...]
    next_cursor: Annotated[str | None, Meta(description="`cursor` of the next page; null on the last one")]
