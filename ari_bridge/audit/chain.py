"""Whether the entries of an audit log are all there and unchanged. Pure.

Each entry has the hash of the one before it, so whoever changes, deletes or inserts one breaks the chain there. Entries
that are deleted for their age leave `audit.purge` in the chain, with the number and the hash of the last of them: the
chain may begin after it, and nowhere else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ari_bridge.audit.action import Action
from ari_bridge.audit.entry import FIRST_HASH, Entry, hash_of


@dataclass(frozen=True)
class Head:
    """The last entry, as the database knows it besides the entries."""

    number: int = 0
    hash: str = FIRST_HASH

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """The inverse of `str`. Raises ValueError."""
        number, _, hash = text.partition(":")
        if not number.isdecimal() or not hash:
            raise ValueError("not like 1234:5d41402abc…, as `ari-bridge audit verify` prints it")
        return cls(int(number), hash)


@dataclass(frozen=True)
class Break:
    """Where the chain is broken."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"entry {self.number}: {self.reason}"


class Chain:
    """Looks at all entries in order of their numbers.

    Args:
        known: The head at an earlier time, as somebody has noted it elsewhere: the entry must still be the same.
    """

    def __init__(self, known: Head | None = None) -> None:
        self._known = known
        self._first: Entry | None = None
        self._purged: list[tuple[Any, Any]] = []  # numbers and hashes, each of the last entry of a purge
        self._known_seen = False
        self.last = Head()
        self.entries = 0

    def check(self, entries: Iterable[Entry]) -> Iterator[Break]:
        """The next entries."""
        for entry in entries:
            yield from self._check(entry)

    def _check(self, entry: Entry) -> Iterator[Break]:
        if hash_of(entry) != entry.hash:
            yield Break(entry.number, "it was changed")
        if self._first is None:
            self._first = entry
        elif entry.number != self.last.number + 1:
            missing = entry.number - self.last.number - 1
            yield Break(self.last.number + 1, f"{missing} missing" if missing > 1 else "it is missing")
        elif entry.previous_hash != self.last.hash:
            yield Break(entry.number, "it does not follow the one before it")
        if entry.action == Action.AUDIT_PURGE:
            self._purged.append((entry.details.get("through"), entry.details.get("hash")))
        if self._known and entry.number == self._known.number:
            self._known_seen = True
            if entry.hash != self._known.hash:
                yield Break(entry.number, "it is not the one that was known")
        self.last = Head(entry.number, entry.hash)
        self.entries += 1

    def end(self, head: Head) -> Iterator[Break]:
        """After the last entry. `head`: what the database says that it is."""
        if self.last.number < head.number:
            yield Break(self.last.number + 1, f"the log ends before it, and {head.number} was the last one")
        elif self.last != head:
            yield Break(self.last.number, "it is not the one that was written last")
        yield from self._check_beginning()
        known = self._known
        if known and not self._known_seen and known.number > self.last.number:
            yield Break(known.number, "it was known, and is missing")

    def _check_beginning(self) -> Iterator[Break]:
        first = self._first
        if first is None:
            return
        before = Head(first.number - 1, first.previous_hash)
        if before.number == 0:
            if before.hash != FIRST_HASH:
                yield Break(first.number, "it is not the first one")
        elif (before.number, before.hash) not in self._purged:
            yield Break(before.number, "it and those before it are missing, and were not deleted for their age")
