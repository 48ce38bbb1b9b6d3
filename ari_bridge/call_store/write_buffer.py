"""Rows that are not in the database yet: the newest row of each call in memory, and all of them in the journal."""

from collections.abc import Iterable, Iterator
from itertools import islice

import structlog

from ari_bridge.call_store.rows import Row
from ari_bridge.call_store.spill_journal import SpillJournal

BATCH_ROWS = 100
"""Rows written without letting the event loop do anything else: about 2 ms."""
MAX_ROWS = 100_000
"""Calls in memory (about 100 MB); above it the oldest ended ones are in the journal only."""

log = structlog.get_logger(__name__)


class WriteBuffer:
    """No method raises.

    Args:
        journal: where the rows are written as well.
    """

    def __init__(self, journal: SpillJournal) -> None:
        self.rows: dict[str, Row] = {}  # by call id, oldest first
        self.journal = journal
        self.journal_failed = False  # the rows would be lost with the process
        self._more_in_journal = False  # than in memory, which was full
        self._journal_exists = False  # of the journal

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write, and no journal to remove."""
        return not self.rows and not self._journal_exists

    def load(self) -> None:
        """Take over the journal of an earlier process."""
        try:
            rows = list(self.journal.rows())
            if not rows:
                self.journal.remove()
        except OSError as error:
            log.error("ignored the journal that was found", journal=str(self.journal.path), reason=str(error))
            self.journal.move_aside()
            return
        if rows:
            log.warning("found a journal of the call store", journal=str(self.journal.path), rows=len(rows))
            self._journal_exists = True
        self._merge(rows)

    def add(self, row: Row) -> None:
        self.rows.pop(row.id, None)
        self.rows[row.id] = row
        rewritten = not self.journal.exists or (self.journal.outgrown and not self._more_in_journal)
        self._to_journal(None if rewritten else row)
        if len(self.rows) > MAX_ROWS:
            self._make_room()

    def add_all(self, rows: Iterable[Row]) -> None:
        """Add those that are newer than what is here, and rewrite the journal."""
        self._merge(rows)
        self._to_journal(None)

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

    def written(self, batch: list[Row]) -> None:
        for row in batch:
            if self.rows.get(row.id) is row:  # no newer one has come meanwhile
                del self.rows[row.id]

    def clear(self) -> None:
        """All rows are in the database: remove the journal."""
        self._more_in_journal = False
        try:
            self.journal.remove()
            self._journal_exists = False
        except OSError as error:  # harmless: its rows are older than those in the database
            log.error("cannot remove the journal", journal=str(self.journal.path), reason=str(error))

    def close(self) -> None:
        """Leave the rows in the journal; remove the journal if all its rows are outdated."""
        if self._journal_exists and not self.rows and not self._more_in_journal:
            self.clear()
        self.journal.close()

    def _merge(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if (there := self.rows.get(row.id)) is None or row.revision > there.revision:
                self.rows[row.id] = row

    def _to_journal(self, row: Row | None) -> None:
        """Append the row; None: write all that is here."""
        try:
            if row:
                self.journal.append(row)
            else:
                self.journal.rewrite(self.rows.values())
                self._journal_exists = True
            self.journal_failed = False
        except OSError as error:
            if not self.journal_failed:
                log.error(
                    "cannot write the journal of the call store: if this process were killed now, calls would be lost",
                    journal=str(self.journal.path),
                    reason=str(error),
                )
            self.journal_failed = True

    def _make_room(self) -> None:
        oldest = next((row.id for row in self.rows.values() if row.ended), None)
        if oldest is None:
            return
        del self.rows[oldest]
        self._more_in_journal = True
        if self.journal_failed:
            log.error("the write buffer is full: dropped the row of an ended call", call=oldest)
