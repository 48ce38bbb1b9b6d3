"""One rtpengine of the pool, as calls and the pool use it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from ari_bridge import metrics
from ari_bridge.errors import PeerError, PeerTimeout, PeerUnreachable
from ari_bridge.leg_stats import LegStats
from ari_bridge.media.candidate_filter import CandidateFilter, PassedOn
from ari_bridge.media.codec_policy import PLAIN_OPUS, Codec, OpusOptions, Transcoding
from ari_bridge.media.deletion_queue import DeletionQueue
from ari_bridge.media.ng import NgClient, Observer
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.node_health import NodeReport, OfferBreaker
from ari_bridge.media.node_monitor import PING_INTERVAL_S, NodeMonitor
from ari_bridge.media.rtpengine import Rtpengine
from ari_bridge.media.session_inventory import SessionInventory
from ari_bridge.net import RtpAddress
from ari_bridge.tasks import TaskSet, wait_at_most

CLOSE_TIMEOUT_S = 0.5
"""For the deletions that are pending when we end."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Node:
    """Sends the commands of calls, and keeps book: is the node up, which sessions does it have, which should it delete.

    Args:
        address: where it receives commands; with weight 0 it gets no new sessions.
        prefix: what the names of our sessions start with.
        timeout: seconds for a command.
        observer: called for each command, for metrics.
        held_by_other_node: whether another node has the session of a leg.
        on_lost: called with the legs and the reason, as soon as legs are known to be lost. Quick.
        opus: what browsers are asked for.
        candidates: which of their ICE candidates are passed to it.
    """

    def __init__(
        self,
        address: NodeAddress,
        *,
        prefix: str,
        timeout: float,
        observer: Observer | None,
        held_by_other_node: Callable[[str], bool],
        on_lost: Callable[[frozenset[str], str], None],
        opus: OpusOptions = PLAIN_OPUS,
        candidates: PassedOn = PassedOn.AUTO,
    ) -> None:
        self.address = address
        self.weight = address.weight or 1
        self.draining = address.weight == 0
        self._ng = NgClient(
            address.host,
            address.port,
            timeout=timeout,
            observer=observer,
            on_refused=lambda reason: self._monitor.port_closed(reason),
        )
        self._engine = Rtpengine(self._ng, opus, CandidateFilter(address.host, candidates))
        self._monitor = NodeMonitor(address, self._ng, on_up=self._on_up, on_down=self._on_down)
        self._breaker = OfferBreaker()
        self._deletions = DeletionQueue(lambda leg: self._engine.delete(self._sessions.name(leg)))
        self._sessions = SessionInventory(
            address,
            self._engine,
            prefix=prefix,
            deletions=self._deletions,
            is_up=lambda: self.up,
            held_by_other_node=held_by_other_node,
            on_lost=on_lost,
        )
        self._tasks = TaskSet()

    async def start(self) -> None:
        """Returns once it is known whether the node is up: at once, or after 1 s if it is silent."""
        label = str(self.address)
        metrics.RTPENGINE_UP.labels(label).set_function(lambda: float(self.up))
        metrics.RTPENGINE_SESSIONS.labels(label).set_function(lambda: len(self._sessions.legs))
        metrics.RTPENGINE_TRANSCODED.labels(label).set_function(lambda: self.transcoding.count)
        metrics.RTPENGINE_PING_FAILURES.labels(label)  # so that it exists, with 0
        metrics.RTPENGINE_SESSIONS_LOST.labels(label)
        self._tasks.start(self._monitor.run())
        self._tasks.start(self._maintenance_loop())
        await self._monitor.decided.wait()

    async def close(self) -> None:
        """Leave the sessions as they are, except those that are to be deleted."""
        if self.up and self._deletions:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._delete_pending()
        await self._tasks.cancel()
        await self._ng.close()
        for metric in (metrics.RTPENGINE_UP, metrics.RTPENGINE_SESSIONS, metrics.RTPENGINE_TRANSCODED):
            with suppress(KeyError):
                metric.remove(str(self.address))

    # --- what is known of it -----------------------------------------------------------

    @property
    def up(self) -> bool:
        return self._monitor.up

    @property
    def trusted(self) -> bool:
        """It owes no answer, and its last offers did not all fail."""
        now = asyncio.get_running_loop().time()
        return not self._monitor.suspect and self._breaker.allows(now, len(self._sessions.offering))

    @property
    def load(self) -> int:
        """Sessions on it, ours and others'."""
        return self._sessions.load

    @property
    def transcoding(self) -> Transcoding:
        return self._sessions.transcoding

    def has_session(self, leg: str) -> bool:
        return self._sessions.has(leg)

    def will_delete(self, leg: str) -> bool:
        return leg in self._deletions

    def report(self) -> NodeReport:
        state = "draining" if self.up and self.draining else self._monitor.state.value
        reason = "its last offers failed" if self.up and self._breaker.open else self._monitor.reason
        sessions, transcoded = len(self._sessions.legs), self.transcoding.count
        return NodeReport(
            str(self.address), self.weight, state, reason, sessions, self._monitor.ping_seconds, transcoded
        )

    # --- for calls. Errors: PeerError ---------------------------------------------------

    async def offer(self, leg: str, sdp: str, codec: Codec, *, within: float) -> RtpAddress:
        """The address that receives Asterisk's RTP. If it fails, a session that was created nevertheless is deleted.

        Args:
            within: seconds.
        """
        name = self._sessions.name(leg)
        return await self._send_offer(leg, codec, self._engine.offer(name, sdp, codec, within=within))

    async def reoffer(self, leg: str, sdp: str, codec: Codec, address: RtpAddress, *, within: float) -> None:
        """As `offer`, of another browser for an existing leg. If it fails, the leg is lost."""
        self._sessions.browser_changed(leg)
        name = self._sessions.name(leg)
        await self._send_offer(leg, codec, self._engine.reoffer(name, sdp, codec, address, within=within))

    async def answer(self, leg: str, asterisk: RtpAddress) -> str:
        """The SDP answer for the browser."""
        try:
            return await self._engine.answer(self._sessions.name(leg), asterisk)
        except PeerTimeout:
            self.offer_failed()
            raise

    async def trickle(self, leg: str, sdp: str) -> None:
        """Send the offer of an answered leg again, with more of the browser's ICE candidates."""
        try:
            await self._engine.trickle(self._sessions.name(leg), sdp, self.transcoding.codec(leg))
        finally:
            if not self.has_session(leg):
                self.schedule_delete(leg)  # deleted meanwhile: the offer has made it again

    async def delete(self, leg: str) -> LegStats | None:
        """End the session. Returns what it has counted, if it says.

        Waits only for a node that is up; what is not done in time is done in the background.
        """
        held = leg in self._sessions.legs
        self._sessions.forget(leg)
        if not self.up:
            self.schedule_delete(leg)
            return None
        try:
            return await self._engine.delete(self._sessions.name(leg))
        except (PeerTimeout, PeerUnreachable):
            self.schedule_delete(leg)
            return None
        except PeerError:
            if held:
                self._sessions.legs.add(leg)
            raise

    def schedule_delete(self, leg: str) -> None:
        """Delete it in the background: now, or when the node is back."""
        self._sessions.schedule_delete(leg)

    def offer_failed(self) -> None:
        """It failed to accept an offer, and the offer was not the reason."""
        if self._breaker.failed(asyncio.get_running_loop().time()):
            log.warning(
                "circuit breaker opened: no new calls for an rtpengine whose offers fail", node=str(self.address)
            )

    async def last_packet_at(self, leg: str) -> float | None:
        """When the browser's last packet came, by `clock.steady`. Raises UnknownSession if it has no such session."""
        return await self._sessions.last_packet_at(leg)

    async def far_packets(self, leg: str) -> int | None:
        """How many RTP packets Asterisk has sent. Raises UnknownSession if it has no such session."""
        return await self._engine.far_packets(self._sessions.name(leg))

    async def sync_sessions(self) -> frozenset[str]:
        """Our legs according to the node, which is believed."""
        return await self._sessions.sync()

    async def _send_offer(self, leg: str, codec: Codec, offer: Coroutine[Any, Any, T]) -> T:
        self._sessions.offer_sent(leg, codec)
        accepted = False
        try:
            result = await offer
            accepted = True
            return result
        except PeerTimeout:
            self._monitor.command_timed_out()
            self.offer_failed()
            raise
        finally:
            self._sessions.offer_ended(leg, accepted=accepted)
            if accepted:
                self._breaker.succeeded()
                self._monitor.command_succeeded()

    # --- up and down -------------------------------------------------------------------------

    def _on_up(self) -> None:
        log.info("rtpengine is up", node=str(self.address), to_delete=len(self._deletions))
        self._breaker.succeeded()  # what failed had a cause, which is over
        self._sessions.node_up()
        self._deletions.added.set()

    def _on_down(self, reason: str) -> None:
        log.warning("rtpengine is down", node=str(self.address), reason=reason, legs=len(self._sessions.legs))
        reason = f"rtpengine {self.address} is down: {reason}"
        legs = self._sessions.node_down()
        self._ng.fail_all(reason)
        self._sessions.report_lost(legs, reason)

    # --- in the background -------------------------------------------------------------------

    async def _maintenance_loop(self) -> None:
        while True:
            await wait_at_most(self._deletions.added, PING_INTERVAL_S)
            self._deletions.added.clear()
            for request in (self._delete_pending, self._sessions.verify_next, self._sessions.update_load):
                if not self.up:
                    break
                try:
                    await request()
                except PeerError as error:
                    log.debug("a maintenance request to rtpengine failed", node=str(self.address), reason=str(error))
                except Exception:
                    log.exception("unexpected error in the maintenance of an rtpengine", node=str(self.address))

    async def _delete_pending(self) -> None:
        await self._deletions.work(later=self._sessions.offering, go_on=lambda: self.up)
