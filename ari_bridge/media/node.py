"""One rtpengine of the pool: whether it is there, which legs it holds, and what is still to be deleted from it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from ari_bridge import clock, metrics
from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable
from ari_bridge.leg_stats import LegFigures
from ari_bridge.media import activity
from ari_bridge.media.activity import Heard
from ari_bridge.media.codec_policy import PLAIN_OPUS, Codec, OpusOptions, Transcoding
from ari_bridge.media.ng import PEER, NgClient, Observer
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.node_monitor import MISSES, Breaker, NodeMonitor, NodeReport, State
from ari_bridge.media.rtpengine import Rtpengine, UnknownSession
from ari_bridge.net import RtpAddress

DOUBTFUL, SECOND_LOOK = 1.0, 0.5
"""Seconds: where the first look at a browser says that it is silent for longer, a second follows so soon, as the
first believes the clock of rtpengine's machine. Within it whoever speaks has sent packets, whatever the codec."""
PING_EVERY = 0.5
PING_SECONDS = 0.5
"""Seconds between pings, and for each. With MISSES of them a silent node is down 1.0 to 1.5 s after its last word."""
LATE = 0.25
"""A ping that took so much longer than it may: this process was held up, which says nothing of the node."""
LOAD_EVERY = 5.0
"""Seconds between looks at what others have on the node."""
RESOLVE_EVERY, RESOLVE_SECONDS = 5.0, 2.0
"""A node that is down may have come back at another address of its name."""
LIST_LIMITS, LIST_SECONDS = (1600, 800, 250), 1.0
"""Sessions asked for at once, and seconds for each try. What does not fit into one datagram is never sent: with
names of 35 bytes 1600 fit, with 250 names of the longest."""
CONDEMNED = 10_000
"""Names kept for deletion; the oldest go first. A sweep finds what is forgotten."""
DELETES_AT_ONCE = 20
CLOSE_SECONDS = 0.5
"""For the deletions that are open when we end."""

Taken = TypeVar("Taken")

log = structlog.get_logger(__name__)


class Node:
    """`prefix`: what the names of our sessions begin with. `elsewhere(leg)`: whether another node holds it.

    `on_lost(legs, reason)` is called the moment that legs are known to be gone.
    """

    def __init__(
        self,
        address: NodeAddress,
        *,
        prefix: str,
        timeout: float,
        observer: Observer | None,
        elsewhere: Callable[[str], bool],
        on_lost: Callable[[frozenset[str], str], None],
        opus: OpusOptions = PLAIN_OPUS,
    ) -> None:
        self.address = address
        self.weight = address.weight or 1
        self.draining = address.weight == 0  # its sessions go on, new ones go elsewhere
        self._prefix = prefix
        self._elsewhere = elsewhere
        self._on_lost = on_lost
        self._ng = NgClient(
            address.host,
            address.port,
            timeout=timeout,
            observer=observer,
            on_refused=lambda reason: self._settle(self._pulse.refused(reason)),
        )
        self._engine = Rtpengine(self._ng, opus)
        self._pulse = NodeMonitor()
        self._breaker = Breaker()
        self._legs: set[str] = set()  # offers that it took
        self._offering: set[str] = set()  # offers that it was sent and has not answered
        self.transcoding = Transcoding()  # of either
        self._condemned: dict[str, None] = {}  # to be deleted as soon as it can be; oldest first
        self._heard: dict[str, Heard] = {}  # of the legs that were asked about
        self._roll: list[str] = []  # legs still to be looked for in this round
        self._foreign = 0  # sessions that others have on it
        self._load_asked = self._opened = float("-inf")
        self._seconds: float | None = None  # the last ping's
        self._decided = asyncio.Event()  # it is known whether it is up
        self._wake = asyncio.Event()  # there is something to do
        self._tasks: list[asyncio.Task[None]] = []

    # --- what is known of it -----------------------------------------------------------

    @property
    def up(self) -> bool:
        return self._pulse.state is State.UP

    @property
    def trusted(self) -> bool:
        """It owes no answer, and its last offers did not all fail."""
        return not self._pulse.suspect and self._breaker.lets_in(asyncio.get_running_loop().time(), len(self._offering))

    @property
    def load(self) -> int:
        """Sessions on it, ours and others'."""
        return len(self._legs) + len(self._offering) + self._foreign

    def holds(self, leg: str) -> bool:
        return leg in self._legs or leg in self._offering

    def condemns(self, leg: str) -> bool:
        """It will delete this leg as soon as it can."""
        return leg in self._condemned

    def report(self) -> NodeReport:
        state = "draining" if self.up and self.draining else self._pulse.state.value
        reason = "its last offers failed" if self.up and self._breaker.open else self._pulse.reason
        seconds = self._seconds if self.up else None
        return NodeReport(
            str(self.address), self.weight, state, reason, len(self._legs), seconds, self.transcoding.count
        )

    async def start(self) -> None:
        """Returns once it is known whether the node is up: at once, or after 1 s where it is silent."""
        label = str(self.address)
        metrics.RTPENGINE_UP.labels(label).set_function(lambda: float(self.up))
        metrics.RTPENGINE_SESSIONS.labels(label).set_function(lambda: len(self._legs))
        metrics.RTPENGINE_TRANSCODED.labels(label).set_function(lambda: self.transcoding.count)
        metrics.RTPENGINE_PING_FAILURES.labels(label)  # so that it is there, with 0
        metrics.RTPENGINE_SESSIONS_LOST.labels(label)
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._do_chores())]
        await self._decided.wait()

    async def close(self) -> None:
        """Sessions are left as they are, but for those that are to be deleted."""
        if self.up and self._condemned:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._delete_condemned()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._ng.close()
        for metric in (metrics.RTPENGINE_UP, metrics.RTPENGINE_SESSIONS, metrics.RTPENGINE_TRANSCODED):
            with suppress(KeyError):
                metric.remove(str(self.address))

    # --- what calls want. Errors: PeerError ---------------------------------------------

    async def offer(self, leg: str, sdp: str, codec: Codec, *, within: float) -> RtpAddress:
        """Where it takes Asterisk's RTP. What it made all the same after a failure is deleted. `within`: seconds."""
        return await self._take(leg, codec, self._engine.offer(self._name(leg), sdp, codec, within=within))

    async def reoffer(self, leg: str, sdp: str, codec: Codec, address: RtpAddress, *, within: float) -> None:
        """As `offer`, of another browser for a leg that stands: where that fails, it stands no more."""
        self._heard.pop(leg, None)  # of the browser before
        await self._take(leg, codec, self._engine.reoffer(self._name(leg), sdp, codec, address, within=within))

    async def _take(self, leg: str, codec: Codec, offer: Coroutine[Any, Any, Taken]) -> Taken:
        self._offering.add(leg)
        self.transcoding.begin(leg, codec)
        self._condemned.pop(leg, None)
        taken = False
        try:
            result = await offer
            taken = True
            return result
        except PeerTimeout:
            self._pulse.doubt()
            self.blame()
            raise
        finally:
            self._offering.discard(leg)
            if taken:
                self._legs.add(leg)
                self._breaker.worked()
                self._settle(self._pulse.worked())
            else:
                self.condemn(leg)

    def blame(self) -> None:
        """It failed to take an offer, and it was not the offer's fault."""
        if self._breaker.failed(asyncio.get_running_loop().time()):
            log.warning(
                "circuit breaker opened: no new calls for an rtpengine whose offers fail", node=str(self.address)
            )

    async def answer(self, leg: str, asterisk: RtpAddress) -> str:
        try:
            return await self._engine.answer(self._name(leg), asterisk)
        except PeerTimeout:
            self.blame()
            raise

    async def trickle(self, leg: str, sdp: str) -> None:
        """The offer of a leg that was answered, with more of the browser's ICE candidates."""
        try:
            await self._engine.trickle(self._name(leg), sdp, self.transcoding.codec(leg))
        finally:
            if not self.holds(leg):
                self.condemn(leg)  # deleted meanwhile: the offer has made it anew

    async def delete(self, leg: str) -> LegFigures | None:
        """What it has counted, where it says. Waits for a node that is up only; what it does not do in time is made
        up for later.
        """
        held = leg in self._legs
        self._forget(leg)
        if not self.up:
            self.condemn(leg)
            return None
        try:
            return await self._engine.delete(self._name(leg))
        except (PeerTimeout, PeerUnreachable):
            self.condemn(leg)
            return None
        except PeerError:
            if held:
                self._legs.add(leg)
            raise

    def condemn(self, leg: str) -> None:
        """Delete it in the background: now, or when the node is back."""
        self._forget(leg)
        self._engine.forget(self._name(leg))
        self._condemned[leg] = None
        while len(self._condemned) > CONDEMNED:
            del self._condemned[next(iter(self._condemned))]
        self._wake.set()

    async def heard(self, leg: str) -> float | None:
        """When the browser's last packet came, by `clock.steady`. Raises UnknownSession where it holds no such leg."""
        heard = await self._look(leg)
        if heard is not None and heard.first and heard.at is not None and heard.seen - heard.at > DOUBTFUL:
            await asyncio.sleep(SECOND_LOOK)
            heard = await self._look(leg)
        return heard.at if heard else None

    async def _look(self, leg: str) -> Heard | None:
        try:
            looked = await self._engine.looked(self._name(leg))
        except UnknownSession:
            self._lose({leg} & self._legs)
            raise
        if looked is None:
            return None
        found = activity.heard(self._heard.get(leg), looked, clock.steady())
        if leg in self._legs:
            self._heard[leg] = found
        return found

    async def far_packets(self, leg: str) -> int | None:
        """How many RTP packets Asterisk has sent. Raises UnknownSession where it holds no such leg."""
        return await self._engine.far_packets(self._name(leg))

    async def take_stock(self) -> frozenset[str]:
        """The legs that it holds by its own word, which is believed: new ones are learned, missing ones are lost."""
        known = set(self._legs)
        names, whole = await self._list()
        listed = {name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)} - {""}
        # What was known and is not any more was deleted meanwhile.
        for leg in listed - known - self._legs - self._offering - self._condemned.keys():
            if self._elsewhere(leg):
                self.condemn(leg)  # from an offer that timed out here and went elsewhere
            else:
                self._legs.add(leg)
        if whole:
            self._lose((known & self._legs) - listed)
        return frozenset(self._legs)

    # --- pings ---------------------------------------------------------------------------

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PING_EVERY
            await self._guard(self._ping())
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _ping(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._connect()
            began = loop.time()
            self._seconds = await self._ng.ping(PING_SECONDS)
        except PeerTimeout:
            metrics.RTPENGINE_PING_FAILURES.labels(str(self.address)).inc()
            if self._ng.heard_at > began:
                self._settle(self._pulse.answered())  # slow, not dead
            elif loop.time() - began < PING_SECONDS + LATE:
                self._settle(self._pulse.missed(f"it answered none of {MISSES} pings"))
        except PeerUnreachable as error:
            metrics.RTPENGINE_PING_FAILURES.labels(str(self.address)).inc()
            self._settle(self._pulse.missed(error.reason))
        except PeerRefused:
            self._settle(self._pulse.answered())
        else:
            self._settle(self._pulse.answered())

    async def _connect(self) -> None:
        """Open the socket where it is not, or where the node's name may have come to mean another machine."""
        now = asyncio.get_running_loop().time()
        stale = self._pulse.state is State.DOWN and not self.address.is_literal and now - self._opened > RESOLVE_EVERY
        if self._ng.is_open and not stale:
            return
        self._opened = now
        await self._ng.close()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                await self._ng.open()
        except TimeoutError:
            raise PeerUnreachable(f"{PEER} {self.address}", "open", "its name is not resolved in time") from None

    def _settle(self, changed: bool) -> None:
        """Do what a change between up and down brings with it."""
        if changed and self.up:
            log.info("rtpengine is up", node=str(self.address), to_delete=len(self._condemned))
            self._breaker.worked()  # what failed had its cause, which is over
            self._load_asked = float("-inf")
            self._wake.set()
        elif changed:
            reason = f"rtpengine {self.address} is gone: {self._pulse.reason}"
            log.warning("rtpengine is down", node=str(self.address), reason=self._pulse.reason, legs=len(self._legs))
            legs = frozenset(self._legs)
            for leg in legs:
                self.condemn(leg)  # where it was only out of reach: its calls move, and do not come back
            self._foreign = self.transcoding.others = 0
            self._ng.fail_all(reason)
            if legs:
                metrics.RTPENGINE_SESSIONS_LOST.labels(str(self.address)).inc(len(legs))
                self._on_lost(legs, reason)
        if self._pulse.state is not State.UNKNOWN:
            self._decided.set()

    # --- chores: what nobody waits for ----------------------------------------------------

    async def _do_chores(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(PING_EVERY):
                    await self._wake.wait()
            self._wake.clear()
            for chore in (self._delete_condemned, self._call_roll, self._ask_load):
                if self.up:
                    await self._guard(chore())

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except PeerError as error:
            log.debug("a maintenance request to rtpengine failed", node=str(self.address), reason=str(error))
        except Exception:
            log.exception("unexpected error in an rtpengine monitoring loop", node=str(self.address))

    async def _delete_condemned(self) -> None:
        waiting = [leg for leg in self._condemned if leg not in self._offering]
        for start in range(0, len(waiting), DELETES_AT_ONCE):
            batch = waiting[start : start + DELETES_AT_ONCE]
            if not self.up:
                return
            await asyncio.gather(*map(self._delete_one, batch))

    async def _delete_one(self, leg: str) -> None:
        with suppress(PeerError):  # it stays condemned
            await self._engine.delete(self._name(leg))
            self._condemned.pop(leg, None)

    async def _call_roll(self) -> None:
        """Ask for one leg after the other: an rtpengine that was restarted between two pings knows none of them."""
        while self._roll and self._roll[-1] not in self._legs:
            self._roll.pop()
        if not self._roll:
            self._roll = list(self._legs)
        if not self._roll:
            return
        leg = self._roll.pop()
        try:
            await self._engine.looked(self._name(leg))
        except UnknownSession:
            self._lose({leg} & self._legs)
            await self.take_stock()

    async def _ask_load(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._load_asked < LOAD_EVERY:
            return
        self._load_asked = now
        load = await self._engine.load()
        self._foreign = max(0, load.sessions - len(self._legs) - len(self._offering))
        self.transcoding.counted(load.transcoded)

    def _lose(self, legs: set[str]) -> None:
        if not legs:
            return
        reason = f"rtpengine {self.address} has lost its sessions: was it restarted?"
        log.warning("rtpengine lost sessions", node=str(self.address), legs=len(legs))
        for leg in legs:
            self._forget(leg)
            self._engine.forget(self._name(leg))
        metrics.RTPENGINE_SESSIONS_LOST.labels(str(self.address)).inc(len(legs))
        self._on_lost(frozenset(legs), reason)

    async def _list(self) -> tuple[list[str], bool]:
        """The names of its sessions, and whether these are all."""
        for limit in LIST_LIMITS:
            try:
                names = await self._engine.names(limit, within=LIST_SECONDS)
            except PeerTimeout:
                if limit == LIST_LIMITS[-1] or not self.up:
                    raise
                continue
            if len(names) >= limit:
                log.warning("rtpengine has more sessions than it can list", node=str(self.address), seen=len(names))
            return names, len(names) < limit
        raise AssertionError("there is a limit")

    def _forget(self, leg: str) -> None:
        self._legs.discard(leg)
        self.transcoding.end(leg)
        self._heard.pop(leg, None)

    def _name(self, leg: str) -> str:
        return self._prefix + leg
