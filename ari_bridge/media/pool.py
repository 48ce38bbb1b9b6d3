"""Several rtpengines as one media engine: a new leg goes to the least loaded one, and never waits for a dead one.

A session is called `<application>:<leg>`, so that several front ends may share an rtpengine without touching each
other's sessions.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from ari_bridge import metrics
from ari_bridge.errors import PeerError, PeerRefused, PeerUnreachable
from ari_bridge.leg_stats import LegStats
from ari_bridge.media import sdp as sdp_text
from ari_bridge.media.candidate_filter import PassedOn
from ari_bridge.media.codec_policy import OPUS_ALWAYS, Choice, Codec, CodecPolicy, choose
from ari_bridge.media.ng import PEER, Observer
from ari_bridge.media.node import Node
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.node_health import NodeReport, least_loaded
from ari_bridge.media.rtpengine import UnknownSession
from ari_bridge.net import RtpAddress

OFFER_TIMEOUT_S = 0.75
"""For a node to accept an offer while another one could: it usually takes 20 ms."""

Lost = Callable[[frozenset[str], str], None]
"""Called with lost legs and the reason. Synchronous and quick."""

Taken = TypeVar("Taken")

log = structlog.get_logger(__name__)


class Pool:
    """The media engine of calls. Its methods for calls raise PeerError.

    Args:
        nodes: the rtpengines.
        app: prefix of our sessions' names.
        timeout: seconds for a command, and for an offer on all nodes together.
        request_observer: called after each command, for metrics.
        policy: which codec a leg has, unless its call requests one.
        candidates: see `CandidateFilter`.
    """

    def __init__(
        self,
        nodes: Sequence[NodeAddress],
        *,
        app: str,
        timeout: float = 3.0,
        request_observer: Observer | None = None,
        policy: CodecPolicy = OPUS_ALWAYS,
        candidates: PassedOn = PassedOn.AUTO,
    ) -> None:
        self._policy = policy
        self._timeout = timeout
        self._listeners: list[Lost] = []
        self._offering: set[str] = set()  # legs that are being offered
        self._unwanted: set[str] = set()  # of these, those that were deleted meanwhile
        self._nodes = [
            Node(
                address,
                prefix=f"{app}:",
                timeout=timeout,
                observer=request_observer,
                held_by_other_node=self._has_session,  # called only for legs that the node itself does not have
                on_lost=self._notify_lost,
                opus=policy.opus,
                candidates=candidates,
            )
            for address in nodes
        ]

    async def start(self) -> None:
        """Returns once it is known of each node whether it is up. None needs to be."""
        await asyncio.gather(*(node.start() for node in self._nodes))

    async def close(self) -> None:
        """Leaves sessions as they are: the next process takes them over."""
        await asyncio.gather(*(node.close() for node in self._nodes))

    # --- for calls ---------------------------------------------------------------------

    async def offer(self, leg: str, sdp: str, prefer: str = "") -> RtpAddress:
        """The address that receives Asterisk's RTP for this leg. If a node fails the next is tried, within `timeout`.

        `prefer`: `opus` or `pcmu`, if the call requests one; "": as the policy says.
        """
        asked = Codec(prefer) if prefer else None
        return await self._track_offer(leg, self._offer(leg, sdp, asked))

    async def reoffer(self, leg: str, sdp: str, prefer: str, address: RtpAddress) -> None:
        """Another browser's offer for an existing leg; Asterisk's RTP for it is received at `address`, as before.

        If it fails, the leg is lost. `prefer` as in `offer`.
        """
        asked = Codec(prefer) if prefer else None
        await self._track_offer(leg, self._reoffer(leg, sdp, asked, address))

    async def _reoffer(self, leg: str, sdp: str, asked: Codec | None, address: RtpAddress) -> None:
        for node in self._holders(leg):
            codec = self._choose(node, sdp, asked).codec
            return await node.reoffer(leg, sdp, codec, address, within=self._timeout)
        raise PeerUnreachable(PEER, "offer", f"no node holds {leg}")

    async def _track_offer(self, leg: str, offer: Coroutine[Any, Any, Taken]) -> Taken:
        self._offering.add(leg)
        try:
            return await offer
        finally:
            self._offering.discard(leg)
            if leg in self._unwanted:
                self._unwanted.discard(leg)
                for node in self._holders(leg):
                    node.schedule_delete(leg)

    async def _offer(self, leg: str, sdp: str, asked: Codec | None) -> RtpAddress:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeout
        tried: list[Node] = []
        refused: list[Node] = []
        failure: PeerError = PeerUnreachable(PEER, "offer", "every node is being drained")
        while (node := self._pick(leg, tried)) and leg not in self._unwanted:
            left = end - loop.time()
            if left <= 0:
                break
            tried.append(node)
            choice = self._choose(node, sdp, asked)
            patience = min(OFFER_TIMEOUT_S, left / 2) if self._pick(leg, tried) else left
            try:
                address = await node.offer(leg, sdp, choice.codec, within=patience)
            except PeerError as error:
                failure = error
                refused += [node] if isinstance(error, PeerRefused) else []
                log.warning("rtpengine rejected an offer", node=str(node.address), leg=leg, reason=str(error))
            else:
                for other in refused:  # the offer was fine, as this node accepted it
                    other.offer_failed()
                metrics.MEDIA_LEGS.labels(choice.codec.value, choice.why.value).inc()
                return address
        raise failure

    async def answer(self, leg: str, asterisk: RtpAddress) -> str:
        """The SDP answer for the browser, once Asterisk receives at `asterisk`."""
        for node in self._holders(leg):
            return await node.answer(leg, asterisk)
        raise PeerUnreachable(PEER, "answer", f"no node holds {leg}")

    async def trickle(self, leg: str, sdp: str) -> None:
        """The offer of a leg that was answered, with more of the browser's ICE candidates (`sdp.with_candidates`).

        A leg that no node holds any more needs none, nor one whose browser was found already.
        """
        for node in self._holders(leg):
            await node.trickle(leg, sdp)

    async def delete(self, leg: str) -> LegStats | None:
        """End the session, and tell what was counted, where that is known.

        If the leg or its node no longer exists, that is not an error and takes no time.
        """
        if leg in self._offering:
            self._unwanted.add(leg)
            return None
        holders = self._holders(leg)
        if not holders and any(node.will_delete(leg) for node in self._nodes):
            return None
        # Of a leg that is not known, each node might hold a session from before our start.
        results = await asyncio.gather(*(node.delete(leg) for node in holders or self._nodes), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return next((result for result in results if isinstance(result, LegStats)), None)

    async def sessions(self) -> list[str]:
        """The legs of ours on all nodes that are up; it is learned which node holds which."""
        asked = [node for node in self._nodes if node.up]
        if not asked:
            raise PeerUnreachable(PEER, "list", self._why_down())
        found: set[str] = set()
        for node, legs in zip(
            asked, await asyncio.gather(*(node.sync_sessions() for node in asked), return_exceptions=True), strict=True
        ):
            if isinstance(legs, frozenset):
                found |= legs
            elif node.up or not isinstance(legs, PeerError):
                raise legs
        return sorted(found)

    async def last_packet_at(self, leg: str) -> float | None:
        """When the browser's last packet came, in Unix seconds; None where none came yet, or no node holds the leg."""
        for node in self._holders(leg) or [node for node in self._nodes if node.up]:
            try:
                return await node.last_packet_at(leg)
            except UnknownSession:
                continue
        return None

    async def far_packets(self, leg: str) -> int | None:
        """How many RTP packets Asterisk has sent for the browser; None where that is not known."""
        for node in self._holders(leg):
            return await node.far_packets(leg)
        return None

    def on_lost(self, listener: Lost) -> None:
        """Call `listener` with the legs that were lost with their node, as soon as that is known; there may be none."""
        self._listeners.append(listener)

    # --- for operators -----------------------------------------------------------------

    def reports(self) -> list[NodeReport]:
        """The state of each node, in the order of the settings. Sends no requests."""
        return [node.report() for node in self._nodes]

    # -----------------------------------------------------------------------------------

    def _pick(self, leg: str, tried: Sequence[Node]) -> Node | None:
        """The next node for a new leg: a good one, one of which that is not sure, or, where none is up, any."""
        if holders := self._holders(leg):
            return next((node for node in holders if node not in tried), None)  # offered again: its session continues
        open_to_calls = [node for node in self._nodes if not node.draining]
        untried = [node for node in open_to_calls if node not in tried]
        return (
            least_loaded(node for node in untried if node.up and node.trusted)
            or least_loaded(node for node in untried if node.up)
            or (None if any(node.up for node in open_to_calls) else least_loaded(untried))
        )

    def _choose(self, node: Node, sdp: str, asked: Codec | None) -> Choice:
        saving = node.transcoding.prefer_passthrough(self._policy.limit * node.weight)
        return choose(self._policy, asked, sdp_text.codecs(sdp), saving=saving)

    def _holders(self, leg: str) -> list[Node]:
        return [node for node in self._nodes if node.has_session(leg)]

    def _has_session(self, leg: str) -> bool:
        return any(node.has_session(leg) for node in self._nodes)

    def _why_down(self) -> str:
        return "; ".join(f"{report.address}: {report.reason}" for report in self.reports())

    def _notify_lost(self, legs: frozenset[str], reason: str) -> None:
        for listener in self._listeners:
            try:
                listener(legs, reason)
            except Exception:
                log.exception("a listener for lost media legs failed")
