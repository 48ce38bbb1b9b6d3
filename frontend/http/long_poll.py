"""Long polling: `GET /call/{callId}?wait=30` waits for the next change of a call.

Theory of operation. Each response carries an ETag: a hash of the JSON body, so it changes if and only if what the
client sees changes. The client sends it back in `If-None-Match` with the next request. If the call no longer matches
the tag, it has changed in between, and the response is immediate: so no change is missed between two requests. If it
still matches, the request becomes a waiter.

A waiter is an `asyncio.Event`, listed under its call. It wakes for one of three reasons: a call event (`_on_hook`), its
deadline (`wait` seconds after the request), or a check once a second. The last is needed because not every change has
an event, and because a client may disconnect: then the waiter ends and frees its place. After each wake-up the call is
encoded again and compared with the tags; if it still matches, the waiter goes on waiting. At the deadline the call is
returned as it is, and the route answers 304 if its tag is still one of the client's.

The number of waiters is limited, in total and for each user; `close` wakes all of them, so that a shutdown does not
wait for deadlines.
"""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import TooMany
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.call_data import CallData
from ari_bridge.hooks import CallEvent, HookEvent, Hooks
from ari_bridge.tasks import wait_at_most

MAX_WAIT_S = 60
MAX_WAITERS = 1000
MAX_WAITERS_PER_USER = 50
"""If sign-in is off, only MAX_WAITERS applies."""
CHECK_INTERVAL_S = 1.0
"""How often a waiter checks that its client is still connected, and the call for changes that have no event."""


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """A call as a response shows it. `tag`: the value of the header ETag, with its quotes."""

    body: bytes
    tag: str
    over: bool  # it will not change any more

    @classmethod
    def of(cls, call: Call) -> "CallSnapshot":
        body = msgspec.json.encode(CallData.of(call))
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:20]}"', call.state is CallState.ENDED)

    def is_one_of(self, tags: frozenset[str]) -> bool:
        return self.tag in tags or "*" in tags


def tags_of(if_none_match: str | None) -> frozenset[str]:
    """The tags of the header If-None-Match (RFC 9110, 13.1.2: weak comparison)."""
    return frozenset(tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",") if tag.strip())


class CallChangeWaiter:
    """The waiters of all requests.

    Args:
        calls: The calls, live and ended.
        hooks: Report changes of calls.
    """

    def __init__(self, calls: CallManager, hooks: Hooks) -> None:
        self._calls = calls
        self._waiting: dict[str, set[asyncio.Event]] = {}  # by call
        self._of_user: Counter[str] = Counter()
        self._all = 0
        self._closed = False
        hooks.tap(self._on_hook)

    async def next(
        self, call_id: str, sharing: str, known: frozenset[str], seconds: float, gone: Callable[[], bool]
    ) -> CallSnapshot:
        """Wait until the call has changed, at most `seconds`; then return it as it is.

        Returns at once if the call has ended and `known` is empty, if the client has disconnected, and after `close`.
        Raises UnknownCall, TooMany.

        Args:
            call_id: The call.
            sharing: `Principal.counted_as`, for the limit; "" if sign-in is off.
            known: The tags that the client has. If empty, the call has changed once it differs from now.
            seconds: Until the deadline.
            gone: Whether the client has disconnected.
        """
        shown = CallSnapshot.of(self._calls.get(call_id))
        if seconds <= 0 or self._closed or (shown.over and not known) or (known and not shown.is_one_of(known)):
            return shown
        self._check_room(sharing)
        woken = asyncio.Event()
        self._waiting.setdefault(call_id, set()).add(woken)
        self._all += 1
        self._of_user[sharing] += 1
        try:
            return await self._changed(call_id, known or frozenset({shown.tag}), woken, seconds, gone)
        finally:
            self._leave(call_id, sharing, woken)

    def close(self) -> None:
        """Wake all waiters; from now on no request waits."""
        self._closed = True
        for waiting in self._waiting.values():
            for woken in waiting:
                woken.set()

    @property
    def waiting(self) -> int:
        return self._all

    async def _changed(
        self, call_id: str, known: frozenset[str], woken: asyncio.Event, seconds: float, gone: Callable[[], bool]
    ) -> CallSnapshot:
        end = time.monotonic() + seconds
        while True:
            woken.clear()
            shown = CallSnapshot.of(self._calls.get(call_id))
            left = end - time.monotonic()
            if left <= 0 or self._closed or not shown.is_one_of(known) or gone():
                return shown
            await wait_at_most(woken, min(left, CHECK_INTERVAL_S))

    def _check_room(self, sharing: str) -> None:
        if sharing and self._of_user[sharing] >= MAX_WAITERS_PER_USER:
            raise TooMany(f"{MAX_WAITERS_PER_USER} of your requests wait already: ask without `wait`, or later.")
        if self._all >= MAX_WAITERS:
            raise TooMany(f"{MAX_WAITERS} requests wait already: ask without `wait`, or later.")

    def _leave(self, call_id: str, sharing: str, woken: asyncio.Event) -> None:
        waiting = self._waiting[call_id]
        waiting.discard(woken)
        if not waiting:
            del self._waiting[call_id]
        self._all -= 1
        self._of_user[sharing] -= 1
        if not self._of_user[sharing]:
            del self._of_user[sharing]

    def _on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallEvent):
            for woken in self._waiting.get(event.call.id, ()):
                woken.set()
