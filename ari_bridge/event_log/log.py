"""The log as the process has it: what waits to be written, the newest number, the last events, and who follows them."""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import structlog

from ari_bridge import metrics
from ari_bridge.event_log import table
from ari_bridge.event_log.event import ARI, LoggedEvent, PendingEvent
from ari_bridge.event_log.table import LogState
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import CallEvent, EventsLost, HookEvent
from ari_bridge.sql.sqlite import uri_of

MAX_PENDING_EVENTS = 10_000
"""Events that wait in memory while neither the file nor the journal can be written; further ones are dropped."""
EVENTS_PER_WRITE = 100
MAX_RECENT_EVENTS = 1000
"""Kept in memory for those who follow: older ones are read from the file."""
PAGE_EVENTS = 500
CONCURRENT_READS = 2
"""Readers of the file at a time, each in a thread: the others wait, so that threads are left for the rest."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, in order. `position`: the number up to which all have been looked at."""

    events: list[LoggedEvent]
    position: int


class EventLog:
    """Written by the call store, as the package's docstring says; no method raises but `after`.

    Args:
        path: the call store's file.
        buffered: the events that are written to the journal, and not to the file yet.
    """

    def __init__(self, path: Path, buffered: Callable[[], Collection[LoggedEvent]]) -> None:
        self.last = 0  # the number of the newest event; 0 before the start
        self.purged_to = 0
        """The newest number whose event is not there any more."""
        self.ari_purged_to = 0
        """The same of Asterisk's own events."""
        self.find: Callable[[str], Call | None] = lambda _: None
        """The call of an id, for the events that do not carry it."""
        self.on_pending: Callable[[], None] = lambda: None
        """Called when an event waits to be written."""
        self.listeners: list[Callable[[], None]] = []
        """Called when events have been written: sync and quick."""
        self._path = path
        self._buffered = buffered
        self._pending: deque[PendingEvent] = deque()
        self._lost = 0  # events that were dropped, and are not told as such yet
        self._recent: deque[LoggedEvent] = deque()
        self._recent_from = 0  # `_recent` has all events after this number
        self._digits: dict[int, str] = {}  # of the events in `_recent`
        self._reads = asyncio.Semaphore(CONCURRENT_READS)

    # --- written by the call store ---------------------------------------------------------

    def start(self, found: LogState | None, journaled: Iterable[LoggedEvent], *, certain: bool) -> None:
        """What is in the file, and in the journal.

        Args:
            found: None if the file has no log, or cannot be read.
            journaled: that an earlier process left.
            certain: whether no later number than in these was told.
        """
        numbers = [event.number for event in journaled]
        known = max([found.last if found else 0, *numbers])
        self.last = known if certain and found else max(known, time.time_ns() // 1_000_000)
        self._recent_from = self.last
        oldest = min(numbers, default=self.last + 1)
        self.follow_state(found or LogState("", oldest - 1, oldest - 1, self.last))
        if known and not certain:
            self._lost_some(0, "uncertain_end")

    def follow_state(self, state: LogState) -> None:
        """What the file says was purged."""
        self.purged_to, self.ari_purged_to = state.purged_to, state.ari_purged_to

    @property
    def pending(self) -> bool:
        """Whether events wait to be written."""
        return bool(self._pending) or self._lost > 0

    def add(self, events: Iterable[HookEvent], saved: Call | None = None) -> None:
        """To be written with the next write. `saved`: the call that is written with them."""
        for event in events:
            if len(self._pending) >= MAX_PENDING_EVENTS:
                self._drop(event)
                continue
            try:
                self._pending.append(PendingEvent.of(event, self._call_of(event, saved)))
            except Exception:
                metrics.EVENTS_LOST.inc()
                log.exception("cannot encode an event", on=event.name)

    def _call_of(self, event: HookEvent, saved: Call | None) -> Call | None:
        if isinstance(event, CallEvent) or not event.call_id:
            return None  # it has the call, or is of none
        return saved if saved and saved.id == event.call_id else self.find(event.call_id)

    def append(self, event: HookEvent) -> None:
        """An event that no change of a call is saved with."""
        self.add([event])
        self.on_pending()

    def numbered(self) -> list[LoggedEvent]:
        """Those to be written next. If they are written, `committed` must be called before anything else here."""
        if self._lost and len(self._pending) < MAX_PENDING_EVENTS:
            lost, self._lost = self._lost, 0
            self._lost_some(lost, "no_room")
        pending = islice(self._pending, EVENTS_PER_WRITE)
        return [event.numbered(number) for number, event in enumerate(pending, self.last + 1)]

    @property
    def recent(self) -> list[LoggedEvent]:
        """The last events, in order: what a file that is lost has lost least of all."""
        return list(self._recent)

    def committed(self, events: list[LoggedEvent]) -> None:
        """They are written, and may be told."""
        for event in events:
            if digit := self._pending.popleft().digit:
                self._digits[event.number] = digit
            self._recent.append(event)
            self.last = event.number
        while len(self._recent) > MAX_RECENT_EVENTS:
            self._recent_from = self._recent.popleft().number
            self._digits.pop(self._recent_from, None)
        if events:
            self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            try:
                listener()
            except Exception:
                log.exception("a listener of the event log failed")

    def _drop(self, event: HookEvent) -> None:
        if not self._lost:
            log.error("events can be written nowhere: dropping them", on=event.name)
        self._lost += 1
        metrics.EVENTS_LOST.inc()

    def _lost_some(self, count: int, reason: Literal["no_room", "uncertain_end"]) -> None:
        self._pending.append(PendingEvent.of(EventsLost(count=count, reason=reason), None))

    # --- read by those who follow ------------------------------------------------------------

    def digit(self, number: int) -> str:
        """The key that was pressed; "" if the event is of none, or not among the last in memory."""
        return self._digits.get(number, "")

    async def after(self, number: int, *, call_id: str | None = None, ari: bool = True) -> Page:
        """The next events after that number, at most PAGE_EVENTS.

        Args:
            number: 0 for the oldest.
            call_id: only those of this call.
            ari: whether with Asterisk's own.

        Raises OSError, sqlite3.Error: it must be read from the file, which cannot be read now.
        """
        if number >= self._recent_from:
            return self._from_memory(number, call_id, ari)
        last, buffered = self.last, list(self._buffered())  # now: what is written while the thread reads is in one
        async with self._reads:
            found = await asyncio.to_thread(_read, self._path, number, call_id, ari)
        position = found[-1].number if len(found) == PAGE_EVENTS else last
        events = {event.number: event for event in found if event.number <= position}
        for event in buffered:
            if number < event.number <= position and _fits(event, call_id, ari):
                events[event.number] = event
        return Page([events[one] for one in sorted(events)], position)

    def _from_memory(self, number: int, call_id: str | None, ari: bool) -> Page:
        newer: list[LoggedEvent] = []
        for event in reversed(self._recent):
            if event.number <= number:
                break
            newer.append(event)
        newer.reverse()
        shown = newer[:PAGE_EVENTS]
        position = shown[-1].number if shown else max(number, self.last)
        return Page([event for event in shown if _fits(event, call_id, ari)], position)


def _fits(event: LoggedEvent, call_id: str | None, ari: bool) -> bool:
    return (call_id is None or event.call_id == call_id) and (ari or event.name != ARI)


def _read(path: Path, number: int, call_id: str | None, ari: bool) -> list[LoggedEvent]:
    connection = sqlite3.connect(uri_of(path, "rw"), uri=True, timeout=1.0)
    try:
        connection.execute("PRAGMA query_only = ON")
        return table.after(connection, number, PAGE_EVENTS, call_id=call_id, ari=ari)
    finally:
        connection.close()
