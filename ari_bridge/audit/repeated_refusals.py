"""Refusals that repeat, as those of somebody who guesses passwords, do not fill the disk: they are counted. Pure.

The first ones of a minute are entries each; those beyond are one entry together, with their number in `repeated`.
"""

from collections import OrderedDict
from dataclasses import dataclass

import msgspec

from ari_bridge.audit.entry import Unsealed

WINDOW_S = 60.0
MAX_PER_SOURCE = 30
"""Entries of one action from one address within the window."""
MAX_PER_ACTION = 600
"""Entries of one action from all addresses within the window."""
MAX_WINDOWS = 10_000

_Key = tuple[str, str]  # action and address, or action and ""


@dataclass
class _Window:
    since: float
    entries: int = 0
    folded: int = 0
    last: Unsealed | None = None  # of those that were folded


class RepeatedRefusals:
    def __init__(self) -> None:
        self._windows: OrderedDict[_Key, _Window] = OrderedDict()  # oldest first
        self._ended: list[Unsealed] = []

    def admit(self, entry: Unsealed, now: float) -> bool:
        """Whether it is to be an entry of its own; else it is counted. `now`: on any clock, in seconds."""
        own = self._window((entry.action, entry.address or entry.actor or "-"), now)
        action = self._window((entry.action, ""), now)
        full = own if own.entries >= MAX_PER_SOURCE else action if action.entries >= MAX_PER_ACTION else None
        if full is None:
            own.entries += 1
            action.entries += 1
            return True
        full.folded += 1
        full.last = entry
        return False

    @property
    def pending(self) -> bool:
        """Whether something was counted that is no entry yet."""
        return bool(self._ended) or any(window.folded for window in self._windows.values())

    def due(self, now: float) -> list[Unsealed]:
        """The entries of the windows that are over."""
        while self._windows and now - next(iter(self._windows.values())).since >= WINDOW_S:
            self._end(next(iter(self._windows)))
        due, self._ended = self._ended, []
        return due

    def rest(self) -> list[Unsealed]:
        """Those of all windows, at the end."""
        return self.due(float("inf"))

    def _window(self, key: _Key, now: float) -> _Window:
        found = self._windows.get(key)
        if found and now - found.since < WINDOW_S:
            return found
        if found:
            self._end(key)
        while len(self._windows) >= MAX_WINDOWS:
            self._end(next(iter(self._windows)))
        self._windows[key] = _Window(now)
        return self._windows[key]

    def _end(self, key: _Key) -> None:
        window = self._windows.pop(key)
        if window.last:
            details = {**window.last.details, "repeated": window.folded}
            self._ended.append(msgspec.structs.replace(window.last, details=details))
