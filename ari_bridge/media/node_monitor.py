"""Watching one rtpengine: pings, and its address where that is a name."""

import asyncio
from collections.abc import Callable

import structlog

from ari_bridge import metrics
from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable
from ari_bridge.media.ng import PEER, NgClient
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.node_health import MAX_MISSES, NodeHealth, State

PING_INTERVAL_S = 0.5
PING_TIMEOUT_S = 0.5
"""With MAX_MISSES of them, a silent node is down 1.0 to 1.5 s after its last answer."""
MAX_OVERSHOOT_S = 0.25
"""If a ping overshoots its timeout by more than this, our event loop was blocked; do not count it as a miss."""
RESOLVE_INTERVAL_S, RESOLVE_TIMEOUT_S = 5.0, 2.0
"""A node that is down may come back at another address of its name."""

log = structlog.get_logger(__name__)


class NodeMonitor:
    """Pings the node, and reports when it goes up or down.

    Args:
        address: the node's.
        ng: the connection to it, which the monitor opens, also again.
        on_up: called when it is up.
        on_down: called with the reason, when it is down.
    """

    def __init__(
        self, address: NodeAddress, ng: NgClient, *, on_up: Callable[[], None], on_down: Callable[[str], None]
    ) -> None:
        self.decided = asyncio.Event()
        """Set once it is known whether the node is up."""
        self._address = address
        self._ng = ng
        self._on_up = on_up
        self._on_down = on_down
        self._health = NodeHealth()
        self._opened_at = float("-inf")
        self._ping_seconds: float | None = None

    @property
    def state(self) -> State:
        return self._health.state

    @property
    def up(self) -> bool:
        return self._health.state is State.UP

    @property
    def suspect(self) -> bool:
        """Whether it owes an answer."""
        return self._health.suspect

    @property
    def reason(self) -> str:
        """Why it is down; "" while it is not."""
        return self._health.reason

    @property
    def ping_seconds(self) -> float | None:
        """How long the last ping took; None while it is not up."""
        return self._ping_seconds if self.up else None

    # --- what others know of it ------------------------------------------------------------

    def command_succeeded(self) -> None:
        self._notify(self._health.worked())

    def command_timed_out(self) -> None:
        self._health.mark_suspect()

    def port_closed(self, reason: str) -> None:
        """By ICMP: no process listens there."""
        self._notify(self._health.port_closed(reason))

    # --- pings -----------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PING_INTERVAL_S
            try:
                await self._ping()
            except PeerError as error:
                log.debug("a ping to rtpengine failed", node=str(self._address), reason=str(error))
            except Exception:
                log.exception("unexpected error while monitoring an rtpengine", node=str(self._address))
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _ping(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._connect()
            began = loop.time()
            self._ping_seconds = await self._ng.ping(PING_TIMEOUT_S)
        except PeerTimeout:
            metrics.RTPENGINE_PING_FAILURES.labels(str(self._address)).inc()
            if self._ng.heard_at > began:
                self._notify(self._health.answered())  # slow, not dead
            elif loop.time() - began < PING_TIMEOUT_S + MAX_OVERSHOOT_S:
                self._notify(self._health.missed(f"it answered none of {MAX_MISSES} pings"))
        except PeerUnreachable as error:
            metrics.RTPENGINE_PING_FAILURES.labels(str(self._address)).inc()
            self._notify(self._health.missed(error.reason))
        except PeerRefused:
            self._notify(self._health.answered())
        else:
            self._notify(self._health.answered())

    async def _connect(self) -> None:
        """Open the socket, if it is not open or the node's name may have come to mean another machine."""
        now = asyncio.get_running_loop().time()
        down = self.state is State.DOWN and not self._address.is_literal
        if self._ng.is_open and not (down and now - self._opened_at > RESOLVE_INTERVAL_S):
            return
        self._opened_at = now
        await self._ng.close()
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                await self._ng.open()
        except TimeoutError:
            raise PeerUnreachable(f"{PEER} {self._address}", "open", "its name is not resolved in time") from None

    def _notify(self, changed: bool) -> None:
        if changed and self.up:
            self._on_up()
        elif changed:
            self._on_down(self.reason)
        if self.state is not State.UNKNOWN:
            self.decided.set()
