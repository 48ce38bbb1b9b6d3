"""The ports of the engine: what it needs of others, as protocols, and `Backends`, which has them all.

rtpengine and the front end implement them; tests put fakes in their place. Asterisk has no port here: the engine
speaks ARI, and tests run a fake Asterisk.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ari_bridge.ari.client import Ari
from ari_bridge.fsm.call import Call
from ari_bridge.leg_stats import LegStats
from ari_bridge.net import RtpAddress
from ari_bridge.preferences.ring_decision import RingDecision


class MediaEngine(Protocol):
    """Terminates the browser's media: the rtpengines, or a fake. Raises PeerError.

    `leg` is the name of a media leg (`ids.leg_id`).
    """

    async def offer(self, leg: str, sdp: str, prefer: str) -> RtpAddress:
        """Take the browser's offer; returns where RTP from Asterisk is received. `prefer`: see `Call`."""

    async def reoffer(self, leg: str, sdp: str, prefer: str, address: RtpAddress) -> None:
        """Take another browser's offer for an existing leg: RTP from Asterisk is received at `address` as before."""

    async def answer(self, leg: str, asterisk: RtpAddress) -> str:
        """The SDP answer for the browser. `asterisk`: where Asterisk receives RTP."""

    async def delete(self, leg: str) -> LegStats | None:
        """Delete the session and return its statistics; None, and no error, if there is no such session."""

    async def sessions(self) -> list[str]:
        """The legs that the engine has for us."""

    async def last_packet_at(self, leg: str) -> float | None:
        """When the browser's last packet arrived, by `clock.steady`; None if unknown."""

    async def far_packets(self, leg: str) -> int | None:
        """How many RTP packets Asterisk has sent for the browser; None if unknown."""

    def on_lost(self, listener: Callable[[frozenset[str], str], None]) -> None:
        """`listener` is called with the legs that were lost with their rtpengine, and the reason."""


class Registrar(Protocol):
    """Who is registered, and how their clients are alerted. Every method is quick and never waits."""

    def is_registered(self, user: str) -> bool:
        """Whether a client takes calls for the user."""

    def ring(self, call: Call, users: frozenset[str]) -> None:
        """Alert every client of these users."""

    def stop_ringing(self, call: Call, user: str | None, reason: str) -> None:
        """`user` None: every client, except the one that has accepted."""

    def update_caller(self, call: Call) -> None:
        """Send the ringing clients the new identity of the caller: transferred, or a name became known."""


class RingPolicy(Protocol):
    """Decides who rings for a caller; quick, never waits. `InboundCallPolicy` is the one that serves."""

    def decide(self, call: Call, live: Iterable[Call]) -> RingDecision:
        """`live`: every call that has not ended, `call` included."""


class ForwardGate(Protocol):
    """Asked before the dialplan forwards a caller; quick, never waits. `forwards.Forwards` is the one that serves."""

    def start(self, call: Call) -> float | None:
        """After how many seconds Asterisk is to end the forwarded call (inf: never); None: it is not forwarded."""


class NoForwards:
    """Forwards nobody."""

    def start(self, call: Call) -> float | None:
        return None


@dataclass(frozen=True)
class Backends:
    """What calls act on."""

    ari: Ari
    media: MediaEngine
    registrar: Registrar
    forwards: ForwardGate = NoForwards()
