"""The calls of a user, live and remembered, newest first, a page at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from ari_bridge.call_store import CallStore, StoreRefused
from ari_bridge.cursor import NEWEST, Cursor
from ari_bridge.errors import Unavailable
from ari_bridge.fsm.call import Call, Direction
from ari_bridge_protocol.messages import ClientState
from frontend.auth.principal import Principal
from frontend.calls.permissions import sees
from frontend.calls.views import client_state

READ_BATCH_SIZE = 500
MAX_CALLS_READ = 5000
"""Calls that are looked at for one page. Where few of them fit, it may be short, or empty, and another page follows."""
STORE_RETRY_AFTER_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is None or "" does not matter. Times are Unix seconds, of the call's begin."""

    principal: Principal
    state: ClientState | None = None
    live: bool | None = None
    direction: Direction | None = None
    number: str = ""  # a part of the caller, the target, or of who is talked to; case does not matter
    since: float | None = None
    until: float | None = None  # not included

    def fits(self, call: Call) -> bool:
        state = client_state(call)
        number = self.number.lower()
        return (
            sees(self.principal, call)
            and self.state in (None, state)
            and self.live in (None, state != "ended")
            and self.direction in (None, call.direction)
            and any(number in one.lower() for one in (call.target, call.caller, call.far_number))
            and (self.since is None or call.created_at >= self.since)
            and (self.until is None or call.created_at < self.until)
        )

    def first_place(self, cursor: Cursor | None) -> Cursor:
        """From where on it is looked."""
        places = [NEWEST]
        if cursor:
            places.append(cursor)
        if self.until is not None:
            places.append(Cursor(self.until, ""))
        return min(places)

    def is_behind(self, place: Cursor) -> bool:
        """Whether nothing that fits comes any more."""
        return self.since is not None and place.time < self.since


async def page_of(
    store: CallStore, wanted: Filter, *, cursor: Cursor | None, limit: int, live: Callable[[], list[Call]]
) -> tuple[list[Call], Cursor | None]:
    """At most `limit` calls, and the cursor of the next page; None if there is none.

    Calls that start meanwhile are newer than the cursor, so they do not shift the pages. `live`: all live calls.
    Raises Unavailable: the call store cannot be read now.
    """
    place = wanted.first_place(cursor)
    if wanted.live or wanted.state not in (None, "ended"):
        return _cut(sorted(live(), key=_place, reverse=True), wanted, place, limit, None)
    found: list[Call] = []
    after: Cursor | None = place
    read = 0
    while after and len(found) <= limit and read < MAX_CALLS_READ and not wanted.is_behind(after):
        try:
            calls, after = await store.started_before(after, at_most=READ_BATCH_SIZE)
        except StoreRefused as error:
            raise Unavailable(str(error), retry_after=STORE_RETRY_AFTER_S) from error
        read += READ_BATCH_SIZE
        found += filter(wanted.fits, calls)
    more = after if after and not wanted.is_behind(after) else None
    return _cut(found, wanted, place, limit, more)


def _cut(
    calls: list[Call], wanted: Filter, place: Cursor, limit: int, after: Cursor | None
) -> tuple[list[Call], Cursor | None]:
    fitting = [call for call in calls if _place(call) < place and wanted.fits(call)]
    if len(fitting) > limit:
        after = _place(fitting[limit - 1])
    return fitting[:limit], after


def _place(call: Call) -> Cursor:
    return Cursor(call.created_at, call.id)
