"""What is not in the database yet: the newest row of each call and the events in memory, and all of it in the journal.

Events are only here once they are in the journal: readers are given those that outlive the process.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import structlog

from ari_bridge.call_store.rows import Row
from ari_bridge.call_store.spill_journal import SpillJournal
from ari_bridge.event_log import LoggedEvent

BATCH_ROWS = 100
"""Rows written without letting the event loop do anything else: about 2 ms."""
MAX_ROWS = 100_000
"""Calls in memory (about 100 MB); above it the oldest ended ones are in the journal only."""
MAX_EVENTS = 50_000
"""Events in memory (about 75 MB); above it they are not taken."""

log = structlog.get_logger(__name__)


class WriteBuffer:
    """No method raises.

    Args:
        journal: where the rows are written as well.
    """

    def __init__(self, journal: SpillJournal) -> None:
        self.rows: dict[str, Row] = {}  # by call id, oldest first
        self.events: dict[int, LoggedEvent] = {}  # by their numbers, in order
        self.journal = journal
        self.journal_failed = False  # the rows would be lost with the process
        self.refused = False  # a journal that was found could not be read
        self._more_in_journal = False  # than in memory, which was full
        self._journal_exists = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write, and no journal to remove."""
        return not self.rows and not self.events and not self._journal_exists

    def load(self) -> None:
        """Take over the journal of an earlier process."""
        try:
            lines = list(self.journal.lines())
            if not lines:
                self.journal.remove()
        except OSError as error:
            log.error("ignored the journal that was found", journal=str(self.journal.path), reason=str(error))
            self.journal.move_aside()
            self.refused = True
            return
        if lines:
            log.warning("found a journal of the call store", journal=str(self.journal.path), rows=len(lines))
            self._journal_exists = True
        self._merge(line.row for line in lines if line.row)
        self.events = {event.number: event for line in lines for event in line.events}

    def add(self, row: Row | None, events: Sequence[LoggedEvent] = ()) -> bool:
        """Returns whether the events are in the journal, and need not be given again."""
        if row:
            self.rows.pop(row.id, None)
            self.rows[row.id] = row
        taken = events if len(self.events) + len(events) <= MAX_EVENTS else ()
        if not row and not taken:
            return not events
        self.events |= {event.number: event for event in taken}
        written = self._to_journal(row, taken)
        if not written:
            for event in taken:
                del self.events[event.number]
        if len(self.rows) > MAX_ROWS:
            self._make_room()
        return written and len(taken) == len(events)

    def add_all(self, rows: Iterable[Row]) -> None:
        """Add those that are newer than what is here, and rewrite the journal."""
        self._merge(rows)
        self._rewrite_journal()

    def outdated(self, call_id: str) -> None:
        """The database has a newer row of this call. Older rows in the journal do no harm."""
        self.rows.pop(call_id, None)

    def batches(self) -> Iterator[list[Row]]:
        """All rows, until none is left; `written` must be called for each batch."""
        if self._more_in_journal:
            rows = self.journal.rows()
            while batch := list(islice(rows, BATCH_ROWS)):
                yield batch
        while self.rows:
            yield list(islice(self.rows.values(), BATCH_ROWS))

    def events_to_write(self, at_most: int) -> list[LoggedEvent]:
        """`events_written` must be called for them."""
        return list(islice(self.events.values(), at_most))

    def events_written(self, events: Iterable[LoggedEvent]) -> None:
        for event in events:
            self.events.pop(event.number, None)

    def written(self, batch: list[Row]) -> None:
        for row in batch:
            if self.rows.get(row.id) is row:  # no newer one has come meanwhile
                del self.rows[row.id]

    def clear(self) -> None:
        """Everything is in the database: remove the journal."""
        self._more_in_journal = False
        try:
            self.journal.remove()
            self._journal_exists = False
        except OSError as error:  # harmless: its rows are older than those in the database
            log.error("cannot remove the journal", journal=str(self.journal.path), reason=str(error))

    def close(self) -> None:
        """Leave the rows in the journal; remove the journal if all its rows are outdated."""
        if self._journal_exists and not self.rows and not self.events and not self._more_in_journal:
            self.clear()
        self.journal.close()

    def _merge(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if (there := self.rows.get(row.id)) is None or row.revision > there.revision:
                self.rows[row.id] = row

    def _to_journal(self, row: Row | None, events: Sequence[LoggedEvent]) -> bool:
        if not self.journal.exists or (self.journal.outgrown and not self._more_in_journal):
            return self._rewrite_journal()
        return self._journaled(lambda: self.journal.append(row, events))

    def _rewrite_journal(self) -> bool:
        """Write all that is here."""
        written = self._journaled(lambda: self.journal.rewrite(self.rows.values(), list(self.events.values())))
        self._journal_exists = self._journal_exists or written
        return written

    def _journaled(self, write: Callable[[], None]) -> bool:
        try:
            write()
            self.journal_failed = False
            return True
        except OSError as error:
            if not self.journal_failed:
                log.error(
                    "cannot write the journal of the call store: if this process were killed now, calls would be lost",
                    journal=str(self.journal.path),
                    reason=str(error),
                )
            self.journal_failed = True
            return False

    def _make_room(self) -> None:
        oldest = next((row.id for row in self.rows.values() if row.ended), None)
        if oldest is None:
            return
        del self.rows[oldest]
        self._more_in_journal = True
        if self.journal_failed:
            log.error("the write buffer is full: dropped the row of an ended call", call=oldest)
