"""What a call needs of media, whoever makes them. Imports neither aiortc nor numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ari_bridge_client.errors import MediaMissing
from ari_bridge_protocol.messages import IceServer

if TYPE_CHECKING:
    from ari_bridge_client.aiortc_media import WebRtc
    from ari_bridge_client.audio import Source


@dataclass(frozen=True, slots=True)
class MediaStats:
    """Of the media connection until now. `None`: not known yet."""

    codec: str = ""  # e.g. opus; "" before the answer
    sent: int = 0  # packets
    received: int = 0
    lost: int = 0
    jitter: float | None = None  # seconds


class Media(Protocol):
    """The sound of one call, over all its media connections."""

    async def offer(self, ice_servers: Sequence[IceServer]) -> str:
        """An SDP offer of a new connection; one before it is closed."""

    async def answer(self, sdp: str) -> None:
        """The server's answer to that offer: connect."""

    def mute(self, muted: bool) -> None:
        """Send silence, or sound again."""

    async def stats(self) -> MediaStats: ...

    def stop(self) -> None:
        """No more is sent from now on. Safe to repeat."""

    async def close(self) -> None:
        """Stop, and wait until all is given back. Safe to repeat."""


class GivenOffer:
    """Media that somebody else makes: an SDP offer from elsewhere, whose answer is kept here for them.

    Without a stack behind it the call has no sound, and costs next to nothing.
    """

    def __init__(self, sdp: str) -> None:
        self.sdp_offer = sdp
        self.sdp_answer = ""

    async def offer(self, ice_servers: Sequence[IceServer]) -> str:
        return self.sdp_offer

    async def answer(self, sdp: str) -> None:
        self.sdp_answer = sdp

    def mute(self, muted: bool) -> None:
        """Nothing is sent here."""

    async def stats(self) -> MediaStats:
        return MediaStats()

    def stop(self) -> None:
        """Nothing runs here."""

    async def close(self) -> None:
        """Nothing runs here."""


def webrtc(source: "Source | None", codec: str) -> "WebRtc":
    """Media of aiortc. Raises MediaMissing."""
    try:
        from ari_bridge_client.aiortc_media import WebRtc
    except ImportError as error:
        raise (error if isinstance(error, MediaMissing) else MediaMissing(error.name)) from error
    return WebRtc(source, codec=codec)
