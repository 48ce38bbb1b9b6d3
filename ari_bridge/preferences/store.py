"""The preferences on disk: one JSON file, replaced as a whole.

They change a few times a day and are read at every call, so they live in memory, and a change is a new file: written,
synced, renamed over the old one. A process that is killed leaves the old file or the new one. A database would
bring locks and migrations for what a person can read and mend with an editor.
"""

import asyncio
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from ari_bridge import atomic_file
from ari_bridge.errors import TooMany, Unavailable
from ari_bridge_protocol.preferences import CallPreferences

MAX_USERS = 10_000
MAX_QUEUED_CHANGES = 100
"""Changes that wait for a slow disk; more are refused."""
RETRY_AFTER_S = 5.0

log = structlog.get_logger(__name__)


class PreferencesNotSaved(Unavailable):
    """The preferences could not be written: the previous ones apply."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, RETRY_AFTER_S)

    def __str__(self) -> str:
        return f"The preferences cannot be kept now: {self.reason}. Try again in {self.retry_after:.0f} s."


class PreferenceStore(Protocol):
    def of(self, user: str) -> CallPreferences:
        """Quick, and never fails: the defaults if the user has set none."""

    async def change(self, user: str, preferences: CallPreferences) -> CallPreferences:
        """They hold once this returns, whatever happens then. Returns those before.

        Raises PreferencesNotSaved, TooMany.
        """


class PreferenceFile:
    """Those of one server, in `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[str, CallPreferences] = {}
        self._writing = asyncio.Lock()
        self._waiting = 0

    def load(self) -> None:
        """Read the file. One that cannot be read is moved aside: everyone has the default preferences then."""
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=dict[str, CallPreferences])
        except FileNotFoundError:
            self._kept = {}
        except (msgspec.DecodeError, OSError) as error:
            aside = self._path.with_suffix(".unreadable")
            log.error("cannot read the preferences: moved the file aside", kept_as=str(aside), reason=str(error))
            self._path.replace(aside)

    def restore(self) -> None:
        """Write the file again if it was deleted. Raises OSError."""
        if self._kept and not self._waiting:
            _write(self._path, msgspec.json.encode(self._kept))

    def of(self, user: str) -> CallPreferences:
        return self._kept.get(user, CallPreferences())

    async def change(self, user: str, preferences: CallPreferences) -> CallPreferences:
        if self._waiting >= MAX_QUEUED_CHANGES:
            raise PreferencesNotSaved("the disk is too slow")
        self._waiting += 1
        try:
            async with self._writing:
                before = self.of(user)
                changed = {**self._kept, user: preferences}
                if preferences == CallPreferences():
                    del changed[user]
                if len(changed) > MAX_USERS:
                    raise TooMany(f"Preferences of {MAX_USERS} users are kept already.")
                await asyncio.to_thread(_write, self._path, msgspec.json.encode(changed))
                self._kept = changed
                return before
        except OSError as error:
            log.error("cannot write the preferences", reason=str(error))
            raise PreferencesNotSaved(error.strerror or "the disk fails") from error
        finally:
            self._waiting -= 1


def _write(path: Path, data: bytes) -> None:
    atomic_file.make_folder(path.parent)
    atomic_file.write(path, data)
