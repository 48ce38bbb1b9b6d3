"""Whether the call store can write to its database, and if not, what is wrong with it."""

from collections.abc import Callable
from enum import Enum
from pathlib import Path

import structlog

from ari_bridge import metrics
from ari_bridge.call_store.sqlite_file import FileMoved, is_busy, is_corrupt
from ari_bridge.service_health import ServiceHealth

log = structlog.get_logger(__name__)


class StoreState(Enum):
    STARTING = "starting"  # reads what an earlier process left; or could not yet
    HEALTHY = "healthy"  # writes go to the database
    DEGRADED = "degraded"  # writes are buffered: the database cannot be written now
    MOVED = "moved"  # the same: somebody deleted or replaced the file; ours can still be read while it is open
    CORRUPT = "corrupt"  # the same: the file must be replaced
    CLOSED = "closed"


BUFFERING = frozenset({StoreState.DEGRADED, StoreState.MOVED, StoreState.CORRUPT})


class StoreStatus:
    """The state, which changes here alone.

        STARTING ──start──> HEALTHY ──close──> CLOSED
        STARTING, HEALTHY ──degrade──> DEGRADED, MOVED or CORRUPT ──recover──> HEALTHY
        MOVED, CORRUPT ──replaced──> DEGRADED

    Args:
        path: the database.
        journal: where writes are buffered meanwhile; both are for the log.
    """

    def __init__(self, path: Path, journal: Path) -> None:
        self.state = StoreState.STARTING
        self.on_degraded: Callable[[], None] | None = None
        """Called on each change from HEALTHY to another state."""
        self.maintenance_runs = False
        """Maintenance may lock the file for a moment: a write that meets its lock is buffered, and means nothing."""
        self._path = path
        self._journal = journal
        self._health = ServiceHealth(
            degraded="cannot write the call store: calls continue, writes are buffered to the journal",
            recovered="the call store is writable again",
            gauge=metrics.STORE_HEALTHY,
            log=log,
        )

    @property
    def healthy(self) -> bool:
        return self.state is StoreState.HEALTHY

    @property
    def open(self) -> bool:
        """Whether anything is written: to the database, or to the buffer."""
        return self.healthy or self.buffering

    @property
    def buffering(self) -> bool:
        return self.state in BUFFERING

    @property
    def reason(self) -> str:
        """Why it cannot write; "" while it can."""
        return self._health.reason

    def write_failed(self, error: Exception) -> None:
        if self.healthy and not (self.maintenance_runs and is_busy(error)):
            metrics.STORE_WRITE_FAILURES.inc()
            self.degrade(error)

    def degrade(self, error: BaseException) -> None:
        """Buffer all writes from now on. Once CORRUPT, it stays so until the file is replaced."""
        if is_corrupt(error):
            self.state = StoreState.CORRUPT
        elif self.state is not StoreState.CORRUPT:
            self.state = StoreState.MOVED if isinstance(error, FileMoved) else StoreState.DEGRADED
        changed = self._health.fail(f"{self._path}: {error}", file=str(self._path), journal=str(self._journal))
        if changed and self.on_degraded:
            self.on_degraded()

    def start(self) -> None:
        """What an earlier process left is read, and the database takes writes."""
        self.state = StoreState.HEALTHY

    def refuse(self, reason: str) -> None:
        """Another process uses the folder at the moment: it stays as it is, for this reason."""
        if self.buffering:
            self._health.fail(reason)

    def replaced(self) -> None:
        """The file that was corrupt or moved is out of the way: what is left to do is to write the buffer."""
        self.state = StoreState.DEGRADED

    def recover(self, rows: int) -> None:
        """Writes go to the database again. `rows`: how many were buffered."""
        self.state = StoreState.HEALTHY
        self._health.succeed(file=str(self._path), rows=rows)

    def close(self) -> None:
        self.state = StoreState.CLOSED

    def publish(self) -> None:
        """Set the gauge."""
        self._health.publish()
