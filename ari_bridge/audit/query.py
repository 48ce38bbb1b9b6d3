"""What may be asked of the audit log. Pure."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from ari_bridge.audit.action import Action
from ari_bridge.audit.entry import Entry, Result

MAX_PAGE_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries, newest first. What is None does not matter. Times are Unix seconds."""

    since: float | None = None
    until: float | None = None  # not included
    actor: str | None = None
    """Name or id."""
    action: Action | None = None
    object: str | None = None
    result: Result | None = None
    before: int | None = None
    """Only entries with lower numbers: where the previous page ended."""
    limit: int = 50  # at most MAX_PAGE_ENTRIES


class AuditPage(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first."""

    entries: tuple[Entry, ...]
    next_cursor: Annotated[str | None, Meta(description="`cursor` of the next page; null on the last one")]
