"""How many connections may be open, and which one is closed to let another in.

A connection belongs to a stranger (counted by network), to a user who has signed in on it, or to a trusted proxy
between two requests. Strangers may have a share of all connections and no more, so those who have signed in always find
room.
Where a limit is reached, the newcomer takes the place of a connection on which the server waits for the client: for
headers, a body, a sign-in. The network that has most of these gives one up, its oldest. So a flood of silent
connections displaces itself, and a newcomer from elsewhere gets in. Only if nothing can be displaced, the newcomer is
refused.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class HolderKind(Enum):
    STRANGER = "stranger"
    USER = "user"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class Holder:
    """`name`: a network (`network_of`), the id of a user, or the address of a proxy."""

    kind: HolderKind
    name: str


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be: in all, of all strangers, of the strangers of one network, of one user."""

    total: int
    strangers: int
    per_network: int
    per_user: int


class ConnectionsFull(Exception):
    """A limit is reached, and nothing can be displaced. `limit`: a field of ConnectionLimits."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Connection:
    """One place in the table.

    Args:
        holder: Whose it is at first.
        close: Cuts the connection off; called when it is displaced.
    """

    __slots__ = ("close", "holder", "first_holder", "is_open", "waiting")

    def __init__(self, holder: Holder, close: Callable[[], None]) -> None:
        self.first_holder = holder
        self.holder = holder
        self.close = close
        self.waiting = True  # the server waits for the client, so it may be displaced
        self.is_open = False


class _Waiting:
    """The connections on which the server waits, by holder, and the stranger who has most of them. All O(1)."""

    def __init__(self) -> None:
        self._of: dict[Holder, OrderedDict[Connection, None]] = {}  # oldest first
        self._strangers: dict[int, OrderedDict[Holder, None]] = {}  # by how many they have
        self._most = 0

    def add(self, connection: Connection) -> None:
        ours = self._of.setdefault(connection.holder, OrderedDict())
        self._resize(connection.holder, len(ours), len(ours) + 1)
        ours[connection] = None

    def remove(self, connection: Connection) -> None:
        ours = self._of[connection.holder]
        del ours[connection]
        self._resize(connection.holder, len(ours) + 1, len(ours))
        if not ours:
            del self._of[connection.holder]

    def oldest_of(self, holder: Holder) -> Connection | None:
        return next(iter(self._of.get(holder, ())), None)

    def oldest_of_most(self) -> Connection | None:
        """Of the stranger who has most; the one who has had so many for longest, if there are several."""
        return self.oldest_of(next(iter(self._strangers[self._most]))) if self._most else None

    def _resize(self, holder: Holder, before: int, after: int) -> None:
        if holder.kind is not HolderKind.STRANGER:
            return
        if before:
            del self._strangers[before][holder]
            if not self._strangers[before]:
                del self._strangers[before]
        if after:
            self._strangers.setdefault(after, OrderedDict())[holder] = None
        if after > self._most or self._most not in self._strangers:
            self._most = after


class ConnectionTable:
    """`displaced`: called with the holder of each connection that is closed for another."""

    def __init__(self, limits: ConnectionLimits, displaced: Callable[[Holder], None] = lambda _: None) -> None:
        self._limits = limits
        self._displaced = displaced
        self._waiting = _Waiting()
        self._counts: Counter[Holder] = Counter()
        self._kinds: Counter[HolderKind] = Counter()

    def count(self, kind: HolderKind) -> int:
        return self._kinds[kind]

    def enter(self, connection: Connection) -> None:
        """A new connection. Raises ConnectionsFull."""
        self._make_room(connection.holder)
        self._limit("total", self._kinds.total(), self._waiting.oldest_of_most)
        connection.is_open = True
        self._add(connection)

    def leave(self, connection: Connection) -> None:
        """It is closed. Not a fault if it was displaced already."""
        if connection.is_open:
            connection.is_open = False
            self._remove(connection)

    def hold(self, connection: Connection, holder: Holder) -> None:
        """It belongs to `holder` from now on. Raises ConnectionsFull; then it belongs to whom it did."""
        if not connection.is_open or connection.holder == holder:
            return
        self._make_room(holder)
        self._remove(connection)
        connection.holder = holder
        self._add(connection)

    def wait(self, connection: Connection, waiting: bool) -> None:
        """Whether the server waits for the client of this connection."""
        if not connection.is_open or connection.waiting is waiting:
            connection.waiting = waiting
            return
        if waiting:
            connection.waiting = True
            self._waiting.add(connection)
        else:
            self._waiting.remove(connection)
            connection.waiting = False

    def displace_one(self) -> bool:
        """Close a stranger's connection, if one can be closed."""
        return self._displace(self._waiting.oldest_of_most())

    def _make_room(self, holder: Holder) -> None:
        match holder.kind:
            case HolderKind.STRANGER:
                self._limit("per_network", self._counts[holder], lambda: self._waiting.oldest_of(holder))
                self._limit("strangers", self._kinds[HolderKind.STRANGER], self._waiting.oldest_of_most)
            case HolderKind.USER:
                self._limit("per_user", self._counts[holder], lambda: self._waiting.oldest_of(holder))

    def _limit(self, name: str, count: int, candidate: Callable[[], Connection | None]) -> None:
        if count >= getattr(self._limits, name) and not self._displace(candidate()):
            raise ConnectionsFull(name)

    def _displace(self, connection: Connection | None) -> bool:
        if connection is None:
            return False
        self.leave(connection)
        connection.close()
        self._displaced(connection.holder)
        return True

    def _add(self, connection: Connection) -> None:
        self._counts[connection.holder] += 1
        self._kinds[connection.holder.kind] += 1
        if connection.waiting:
            self._waiting.add(connection)

    def _remove(self, connection: Connection) -> None:
        self._counts[connection.holder] -= 1
        if not self._counts[connection.holder]:
            del self._counts[connection.holder]
        self._kinds[connection.holder.kind] -= 1
        if connection.waiting:
            self._waiting.remove(connection)
