"""The media engine's statistics of a leg, reported when the leg is released. Pure data."""

from typing import Any

import msgspec


class StreamStats(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What came from one side of a leg, and how well. What is not set is not known: see docs/QUALITY.md."""

    packets: int  # RTP
    bytes: int  # of RTP, headers included
    codec: str = ""  # as it came in, e.g. `opus`
    lost: int | None = None  # packets that did not arrive
    jitter_ms: float | None = None  # as the receivers' reports (RTCP) say, on average; so all below
    round_trip_ms: float | None = None
    loss_percent: float | None = None
    mos: float | None = None  # rtpengine's own estimate, 1 to 5
    mos_lowest: float | None = None


class LegStats(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Both sides of a leg; None if the media engine has no statistics of it."""

    browser: StreamStats | None = None
    asterisk: StreamStats | None = None

    def data(self) -> dict[str, Any]:
        """JSON-ready, in camelCase."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found
