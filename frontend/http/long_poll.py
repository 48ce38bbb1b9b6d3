"""Waiting for the next change of a call, for clients that ask over HTTP and take no events.

Each answer has a tag of what it shows. Who gives the last tag back is answered at once where the call is another by
now: so no change is missed between two requests, however many of them there are.
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
"""Where nobody signs in, only MAX_WAITERS counts."""
CHECK_INTERVAL_S = 1.0
"""How often a waiter looks whether its client is still there; and at the call, of which not everything is an event."""


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """A call as an answer shows it. `tag`: as the header ETag has it, quotes included."""

    body: bytes
    tag: str
    over: bool  # nothing will change any more

    @classmethod
    def of(cls, call: Call) -> "CallSnapshot":
        body = msgspec.json.encode(CallData.of(call))
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:20]}"', call.state is CallState.ENDED)

    def is_one_of(self, tags: frozenset[str]) -> bool:
        return self.tag in tags or "*" in tags


def tags_of(if_none_match: str | None) -> frozenset[str]:
    """Of the header If-None-Match (RFC 9110, 13.1.2: compared weakly)."""
    return frozenset(tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",") if tag.strip())


class CallChangeWaiter:
    def __init__(self, calls: CallManager, hooks: Hooks) -> None:
        self._calls = calls
        self._waiting: dict[str, set[asyncio.Event]] = {}  # by call
        self._of_user: Counter[str] = Counter()
        self._all = 0
        self._closed = False
        hooks.tap(self._on_hook)

    async def next(
        self, call_id: str, user: str | None, known: frozenset[str], seconds: float, gone: Callable[[], bool]
    ) -> CallSnapshot:
        """The call once it is not as in `known`; where that is empty: once it is not as now. After `seconds`, as it is.

        At once where it has ended and nothing is known of it, where `gone` says that the client is, and from `close`
        on. Raises UnknownCall, TooMany.
        """
        shown = CallSnapshot.of(self._calls.get(call_id))
        if seconds <= 0 or self._closed or (shown.over and not known) or (known and not shown.is_one_of(known)):
            return shown
        self._check_room(user)
        woken = asyncio.Event()
        self._waiting.setdefault(call_id, set()).add(woken)
        self._all += 1
        self._of_user[user or ""] += 1
        try:
            return await self._changed(call_id, known or frozenset({shown.tag}), woken, seconds, gone)
        finally:
            self._leave(call_id, user or "", woken)

    def close(self) -> None:
        """Who waits is answered now, and nobody waits from now on."""
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

    def _check_room(self, user: str | None) -> None:
        if user is not None and self._of_user[user] >= MAX_WAITERS_PER_USER:
            raise TooMany(f"{MAX_WAITERS_PER_USER} requests of {user} wait already: ask without `wait`, or later.")
        if self._all >= MAX_WAITERS:
            raise TooMany(f"{MAX_WAITERS} requests wait already: ask without `wait`, or later.")

    def _leave(self, call_id: str, user: str, woken: asyncio.Event) -> None:
        waiting = self._waiting[call_id]
        waiting.discard(woken)
        if not waiting:
            del self._waiting[call_id]
        self._all -= 1
        self._of_user[user] -= 1
        if not self._of_user[user]:
            del self._of_user[user]

    def _on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallEvent):
            for woken in self._waiting.get(event.call.id, ()):
                woken.set()
