"""What a call needs of its media, whatever implements them. It imports neither aiortc nor numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ari_bridge_protocol.messages import IceServer


@dataclass(frozen=True, slots=True)
class MediaStats:
    """Of the media connection until now.

    Attributes:
        codec: E.g. opus; "" before the SDP answer.
        packets_sent: RTP packets sent.
        packets_received: RTP packets received.
        packets_lost: Of those that were to be received.
        jitter: In seconds; None if it is not known yet.
    """

    codec: str = ""
    packets_sent: int = 0
    packets_received: int = 0
    packets_lost: int = 0
    jitter: float | None = None


class Media(Protocol):
    """The media of one call, over all its media connections."""

    async def create_offer(self, ice_servers: Sequence[IceServer]) -> str:
        """The SDP offer of a new connection. The connection before it is closed."""

    async def set_answer(self, sdp: str) -> None:
        """Connect with the server's SDP answer to that offer."""

    def mute(self, muted: bool) -> None:
        """Send silence, or sound again."""

    async def get_stats(self) -> MediaStats: ...

    def stop(self) -> None:
        """Send nothing from now on. Safe to repeat."""

    async def close(self) -> None:
        """Stop, and wait until everything is released. Safe to repeat."""


class OfferOnlyMedia:
    """The SDP offer of a media stack elsewhere; the answer to it is kept here.

    With no stack at all the call has no sound, and costs next to nothing.

    Args:
        sdp: The offer.

    Attributes:
        sdp_answer: The server's answer; "" until it has come.
    """

    def __init__(self, sdp: str) -> None:
        self.sdp_offer = sdp
        self.sdp_answer = ""

    async def create_offer(self, ice_servers: Sequence[IceServer]) -> str:
        return self.sdp_offer

    async def set_answer(self, sdp: str) -> None:
        self.sdp_answer = sdp

    def mute(self, muted: bool) -> None:
        """Does nothing: nothing is sent here."""

    async def get_stats(self) -> MediaStats:
        return MediaStats()

    def stop(self) -> None:
        """Does nothing: nothing runs here."""

    async def close(self) -> None:
        """Does nothing: nothing runs here."""
