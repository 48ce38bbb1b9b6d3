"""Who is registered at the SIP edge, and what it is to forget.

Kamailio's usrloc is the one truth of who is registered. It is read every few seconds; while the edge is away the last
answer counts, each contact until it expires, and `reason` says that it is old. What the edge keeps of a user whose
credentials have changed is dropped at once, or as soon as the edge is there again.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ari_bridge import tasks
from ari_bridge.backoff import Backoff
from ari_bridge.errors import PeerError, PeerRefused
from ari_bridge.sip_edge.registrations import Registration, parse
from ari_bridge.sip_edge.rpc import NOT_FOUND, EdgeRpc

READ_INTERVAL_S = 2.0
LONGEST_DROP_S = 3600.0
"""A drop is tried so long: nobody is registered longer without a credential."""
MAX_DROPS = 10_000
_FIRST_RETRY_S = 0.25
_TABLE, _CACHES = "location", ("ha1", "fresh")
"""Of Kamailio's configuration (deploy/sip_edge): usrloc's table, and the hash tables that keep credentials by user."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Drop:
    contacts: bool
    until: float  # of the monotonic clock


class EdgeRegistrar:
    """Follows the registrations of one edge.

    Args:
        rpc: Asks its Kamailio. It is closed with this.
        may_register: Whether a name is that of somebody who may be registered: others are removed there.
        interval: Between two readings, in seconds.

    Attributes:
        reason: Why it is not known who is registered now; "" if it is.
        read_at: When it was known last, Unix seconds; 0: never.
    """

    def __init__(self, rpc: EdgeRpc, may_register: Callable[[str], bool], *, interval: float = READ_INTERVAL_S) -> None:
        self._rpc = rpc
        self._may_register = may_register
        self._interval = interval
        self.reason = "it has not been asked yet"
        self.read_at = 0.0
        self._registrations: list[Registration] = []
        self._users: frozenset[str] = frozenset()
        self._drops: dict[str, _Drop] = {}
        self._backoff = Backoff(_FIRST_RETRY_S, interval)
        self._wake = asyncio.Event()
        self._tasks = tasks.TaskSet()
        self._listeners: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Never fails: an edge that is away is asked again and again."""
        self._tasks.start(self._follow(), name="SIP edge")

    async def close(self) -> None:
        await self._tasks.cancel()
        await self._rpc.close()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` when other users than before are registered."""
        self._listeners.append(listener)

    def registrations(self) -> list[Registration]:
        """By user, as they were read last, without those that have expired since."""
        now = time.time()
        return [one for one in self._registrations if one.expires_at > now]

    def users(self) -> frozenset[str]:
        """Those with at least one phone."""
        return frozenset(one.user for one in self.registrations())

    def drop(self, user: str, *, contacts: bool) -> None:
        """Have the edge ask for the user's credentials again, and with `contacts` forget the user's phones."""
        self._keep(user, contacts=contacts)
        self._wake.set()

    def _keep(self, user: str, *, contacts: bool) -> None:
        before = self._drops.pop(user, None)
        if len(self._drops) >= MAX_DROPS:
            del self._drops[next(iter(self._drops))]  # the edge asks for credentials again by itself, only later
        self._drops[user] = _Drop(contacts or bool(before and before.contacts), time.monotonic() + LONGEST_DROP_S)

    async def _follow(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._drop_all()
                await self._read()
                self._backoff.reset()
                wait = self._interval
            except (PeerError, ValueError) as error:
                self._failed(str(error))
                wait = self._backoff.next()
            self._tell()
            await tasks.wait_at_most(self._wake, wait)

    async def _drop_all(self) -> None:
        """Raises PeerError: what is left is tried again."""
        for user, drop in list(self._drops.items()):
            if drop.until > time.monotonic():
                await self._drop_one(user, drop)
            if self._drops.get(user) is drop:
                del self._drops[user]

    async def _drop_one(self, user: str, drop: _Drop) -> None:
        for cache in _CACHES:
            try:
                await self._rpc.call("htable.delete", cache, user)
            except PeerRefused as error:
                if error.status != NOT_FOUND:
                    raise
        if drop.contacts:
            await self._rpc.call("ul.rm", _TABLE, user)
        log.info("the SIP edge has forgotten a user's credentials", user=user, contacts=drop.contacts)

    async def _read(self) -> None:
        """Raises PeerError, ValueError."""
        now = time.time()
        found = parse(await self._rpc.call("ul.dump"), now)
        self._registrations = [one for one in found if self._may_register(one.user)]
        for user in {one.user for one in found} - {one.user for one in self._registrations}:
            self._keep(user, contacts=True)
        if self.reason:
            log.info("the SIP edge tells who is registered", registrations=len(self._registrations))
        self.reason, self.read_at = "", now

    def _failed(self, reason: str) -> None:
        if reason != self.reason:
            log.warning("the SIP edge does not tell who is registered", reason=reason)
        self.reason = reason

    def _tell(self) -> None:
        users = self.users()
        if users != self._users:
            self._users = users
            for listener in self._listeners:
                listener()
