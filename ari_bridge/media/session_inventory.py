"""Which sessions one rtpengine has: ours, as far as we know, and how many others."""

import asyncio
from collections.abc import Callable

import structlog

from ari_bridge import clock, metrics
from ari_bridge.errors import PeerTimeout
from ari_bridge.media import activity
from ari_bridge.media.activity import MediaActivity
from ari_bridge.media.codec_policy import Codec, Transcoding
from ari_bridge.media.deletion_queue import DeletionQueue
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.rtpengine import Rtpengine, UnknownSession

MAX_SILENCE_S, SECOND_POLL_S = 1.0, 0.5
"""If the first poll says that a browser is silent for longer, a second one follows: the first has to trust the clock of
rtpengine's machine. Within that time a browser sends packets with any codec."""
LOAD_INTERVAL_S = 5.0
LIST_LIMITS, LIST_TIMEOUT_S = (1600, 800, 250), 1.0
"""Sessions asked for at once, and the timeout of each attempt. A response that does not fit into one datagram is never
sent: with names of 35 bytes 1600 fit, with the longest names 250."""

log = structlog.get_logger(__name__)


class SessionInventory:
    """The sessions of a node, by the legs that they belong to.

    Args:
        address: the node's, for the log.
        engine: how it is asked.
        prefix: what the names of our sessions start with.
        deletions: gets the sessions that should not be there.
        is_up: whether the node is up.
        held_by_other_node: whether another node has the session of a leg.
        on_lost: called with the legs and the reason, as soon as legs are known to be lost.
    """

    def __init__(
        self,
        address: NodeAddress,
        engine: Rtpengine,
        *,
        prefix: str,
        deletions: DeletionQueue,
        is_up: Callable[[], bool],
        held_by_other_node: Callable[[str], bool],
        on_lost: Callable[[frozenset[str], str], None],
    ) -> None:
        self.legs: set[str] = set()  # whose offers it accepted
        self.offering: set[str] = set()  # whose offers it was sent and has not answered
        self.foreign_sessions = 0  # of other programs
        self.transcoding = Transcoding()  # of all of them
        self._address = address
        self._engine = engine
        self._prefix = prefix
        self._deletions = deletions
        self._is_up = is_up
        self._held_by_other_node = held_by_other_node
        self._on_lost = on_lost
        self._activity: dict[str, MediaActivity] = {}  # of the legs that were polled
        self._unverified: list[str] = []  # legs still to be verified in this round
        self._load_asked_at = float("-inf")

    @property
    def load(self) -> int:
        """Sessions on the node, ours and others'."""
        return len(self.legs) + len(self.offering) + self.foreign_sessions

    def has(self, leg: str) -> bool:
        return leg in self.legs or leg in self.offering

    def name(self, leg: str) -> str:
        """Of the leg's session."""
        return self._prefix + leg

    # --- changes that we make ----------------------------------------------------------------

    def offer_sent(self, leg: str, codec: Codec) -> None:
        self.offering.add(leg)
        self.transcoding.begin(leg, codec)
        self._deletions.discard(leg)

    def offer_ended(self, leg: str, *, accepted: bool) -> None:
        """If it failed, the session may exist all the same: it is deleted."""
        self.offering.discard(leg)
        if accepted:
            self.legs.add(leg)
        else:
            self.schedule_delete(leg)

    def schedule_delete(self, leg: str) -> None:
        """Delete it in the background: now, or when the node is back."""
        self.forget(leg)
        self._engine.forget(self.name(leg))
        self._deletions.add(leg)

    def forget(self, leg: str) -> None:
        self.legs.discard(leg)
        self.transcoding.end(leg)
        self._activity.pop(leg, None)

    def browser_changed(self, leg: str) -> None:
        """What is known of its packets is the earlier browser's."""
        self._activity.pop(leg, None)

    def node_up(self) -> None:
        self._load_asked_at = float("-inf")

    def node_down(self) -> frozenset[str]:
        """All our legs, which are lost. A node that was only unreachable is to delete them when it is back."""
        legs = frozenset(self.legs)
        for leg in legs:
            self.schedule_delete(leg)
        self.foreign_sessions = self.transcoding.others = 0
        return legs

    def report_lost(self, legs: frozenset[str], reason: str) -> None:
        """Also if none is ours: the sessions of the SIP edge, which we do not see, are lost too."""
        if legs:
            metrics.RTPENGINE_SESSIONS_LOST.labels(str(self._address)).inc(len(legs))
        self._on_lost(legs, reason)

    # --- what the node has --------------------------------------------------------------------

    async def last_packet_at(self, leg: str) -> float | None:
        """When the browser's last packet came, by `clock.steady`. Raises UnknownSession, PeerError."""
        found = await self._poll(leg)
        if found is not None and found.first and found.last_packet_at is not None:
            if found.polled_at - found.last_packet_at > MAX_SILENCE_S:
                await asyncio.sleep(SECOND_POLL_S)
                found = await self._poll(leg)
        return found.last_packet_at if found else None

    async def _poll(self, leg: str) -> MediaActivity | None:
        try:
            count = await self._engine.packet_count(self.name(leg))
        except UnknownSession:
            self._lose({leg} & self.legs)
            raise
        if count is None:
            return None
        found = activity.next_activity(self._activity.get(leg), count, clock.steady())
        if leg in self.legs:
            self._activity[leg] = found
        return found

    async def sync(self) -> frozenset[str]:
        """Our legs according to the node, which is believed: new ones are added, missing ones are lost.

        Raises PeerError.
        """
        known = set(self.legs)
        names, complete = await self._list()
        listed = {name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)} - {""}
        # What was known before and is not any more was deleted meanwhile.
        for leg in self._deletions.subtract_from(listed - known - self.legs - self.offering):
            if self._held_by_other_node(leg):
                self.schedule_delete(leg)  # from an offer that timed out here and was accepted elsewhere
            else:
                self.legs.add(leg)
        if complete:
            self._lose((known & self.legs) - listed)
        return frozenset(self.legs)

    async def verify_next(self) -> None:
        """Ask for one leg after the other: an rtpengine that was restarted between two pings knows none of them.

        Raises PeerError.
        """
        while self._unverified and self._unverified[-1] not in self.legs:
            self._unverified.pop()
        if not self._unverified:
            self._unverified = list(self.legs)
        if not self._unverified:
            return
        leg = self._unverified.pop()
        try:
            await self._engine.packet_count(self.name(leg))
        except UnknownSession:
            self._lose({leg} & self.legs)
            await self.sync()

    async def update_load(self) -> None:
        """Raises PeerError."""
        now = asyncio.get_running_loop().time()
        if now - self._load_asked_at < LOAD_INTERVAL_S:
            return
        self._load_asked_at = now
        load = await self._engine.load()
        self.foreign_sessions = max(0, load.sessions - len(self.legs) - len(self.offering))
        self.transcoding.counted(load.transcoded)

    async def _list(self) -> tuple[list[str], bool]:
        """The names of its sessions, and whether these are all."""
        for limit in LIST_LIMITS:
            try:
                names = await self._engine.names(limit, within=LIST_TIMEOUT_S)
            except PeerTimeout:
                if limit == LIST_LIMITS[-1] or not self._is_up():
                    raise
                continue
            if len(names) >= limit:
                log.warning("rtpengine has more sessions than it can list", node=str(self._address), seen=len(names))
            return names, len(names) < limit
        raise AssertionError("there is a limit")

    def _lose(self, legs: set[str]) -> None:
        if not legs:
            return
        log.warning("rtpengine lost sessions", node=str(self._address), legs=len(legs))
        for leg in legs:
            self.forget(leg)
            self._engine.forget(self.name(leg))
        self.report_lost(frozenset(legs), f"rtpengine {self._address} has lost its sessions: was it restarted?")
