"""The switch by which an operator stops all outgoing calls at once, e.g. while somebody misuses a stolen password.

It is in force at once, and stored: a restart does not open it. A file that cannot be read counts as stopped.
"""

import asyncio
from pathlib import Path

import msgspec
import structlog

from ari_bridge import atomic_file, metrics
from ari_bridge.errors import Unavailable

RULE = "outgoing calls are stopped"
RETRY_AFTER_S = 5.0

log = structlog.get_logger(__name__)


class OutgoingStop(msgspec.Struct, frozen=True):
    """Since when outgoing calls are stopped.

    Args:
        at: Unix seconds; 0 if that is not known.
        by: Who has stopped them; "" if that is not known.
        reason: As given by who has stopped them.
    """

    at: float = 0.0
    by: str = ""
    reason: str = ""

    def __str__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        return f"Outgoing calls were stopped{by}{f': {self.reason}' if self.reason else ''}"


class _File(msgspec.Struct, frozen=True, omit_defaults=True):
    stop: OutgoingStop | None = None


class SwitchNotSaved(Unavailable):
    """The switch could not be stored; the text says what is in force."""

    def __init__(self, reason: str, stopped: bool) -> None:
        super().__init__(reason, RETRY_AFTER_S)
        self._stopped = stopped

    def __str__(self) -> str:
        if self._stopped:
            return f"Outgoing calls are stopped, but a restart would allow them: {self.reason}."
        return f"Outgoing calls stay stopped, as that could not be changed on the disk: {self.reason}."


class OutgoingSwitch:
    """`path`: the file; None: in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._stop: OutgoingStop | None = None
        self._writing = asyncio.Lock()

    @property
    def stop(self) -> OutgoingStop | None:
        """None: outgoing calls are allowed."""
        return self._stop

    def load(self) -> None:
        """Read the file. Never fails."""
        self._stop = self._read()
        metrics.OUTGOING_STOPPED.set(self._stop is not None)
        if self._stop:
            log.warning("outgoing calls are stopped", by=self._stop.by, since=self._stop.at, reason=self._stop.reason)

    async def set(self, stop: OutgoingStop | None) -> None:
        """Stop them, or (None) allow them. Holds over restarts once this returns. Raises SwitchNotSaved."""
        async with self._writing:
            if stop:
                self._use(stop)  # at once: calls go out as long as the disk takes
            try:
                await asyncio.to_thread(self._write, stop)
            except OSError as error:
                log.error("cannot store whether outgoing calls are stopped", reason=str(error))
                raise SwitchNotSaved(error.strerror or "the disk fails", stop is not None) from error
            self._use(stop)

    def restore(self) -> None:
        """Write the file again if it was deleted. Raises OSError."""
        self._write(self._stop)

    def _use(self, stop: OutgoingStop | None) -> None:
        if (stop is None) is not (self._stop is None):
            log.warning(
                "outgoing calls are stopped" if stop else "outgoing calls are allowed again",
                by=stop.by if stop else "",
                reason=stop.reason if stop else "",
            )
        self._stop = stop
        metrics.OUTGOING_STOPPED.set(stop is not None)

    def _read(self) -> OutgoingStop | None:
        if self._path is None:
            return None
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_File).stop
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, OSError) as error:
            log.error("cannot read whether outgoing calls are stopped: they are", file=str(self._path))
            return OutgoingStop(reason=f"{self._path.name} cannot be read ({error})")

    def _write(self, stop: OutgoingStop | None) -> None:
        if self._path is not None:
            atomic_file.make_folder(self._path.parent)
            atomic_file.write(self._path, msgspec.json.encode(_File(stop)))
