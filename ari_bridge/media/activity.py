"""Reading NG `query` and `statistics`: packets, ICE, load. Pure.

Seen of rtpengine 10.5: each packet stream has `stats.packets` and `last packet`, in whole Unix seconds of
rtpengine's clock. RTP and RTCP count, ICE checks and DTLS do not. A stream without packets has
the second of its creation and 0 packets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ari_bridge.media.ng_response import list_at, streams_of, value_at

DISCARD = 9
"""The port of an offer that has no address yet (RFC 8840 section 4.1.1)."""


@dataclass(frozen=True)
class PacketCount:
    """What one side has sent. `packets` since the session began; `last`: whole Unix seconds, rtpengine's clock."""

    packets: int
    last: int


@dataclass(frozen=True)
class MediaActivity:
    """A packet count, when it was polled, and what follows from it; times are Unix seconds.

    `last_packet_at` is None before the first packet. `first`: there was no earlier poll, so `last_packet_at` is only as
    accurate as rtpengine's clock.
    """

    count: PacketCount
    polled_at: float
    last_packet_at: float | None
    first: bool = False


@dataclass(frozen=True)
class Load:
    """Sessions on an rtpengine, ours and others', and how many of them it transcodes."""

    sessions: int
    transcoded: int


def packet_count(answer: Mapping[str, Any], tag: str) -> PacketCount | None:
    """What the side `tag` has sent, from the response to `query`; None if it does not say."""
    side = value_at(answer, "tags", tag)
    streams = [
        stream
        for media in list_at(side, "medias")
        for stream in list_at(media, "streams")
        if isinstance(value_at(stream, "last packet"), int)
    ]
    if not streams:
        return None
    packets = sum(count for stream in streams if isinstance(count := value_at(stream, "stats", "packets"), int))
    return PacketCount(packets, max(stream["last packet"] for stream in streams))


def rtp_packets(answer: Mapping[str, Any], tag: str) -> int | None:
    """How many RTP packets the side `tag` has sent, without RTCP; None if the response does not say."""
    streams = streams_of(answer, tag)
    counts = [value_at(stream, "stats", "packets") for stream in streams if b"RTP" in list_at(stream, "flags")]
    known = [count for count in counts if isinstance(count, int)]
    return sum(known) if known else None


def next_activity(before: MediaActivity | None, count: PacketCount, now: float) -> MediaActivity:
    """The activity after another poll. `last_packet_at` is an upper bound, so a leg never seems silent when it is not.

    From the second poll on it is bounded by the change of the count, whatever rtpengine's clock says.
    """
    end_of_second = count.last + 1.0
    at: float | None
    if count.packets == 0:
        at = None
    elif before is None:
        at = min(now, end_of_second)
    elif before.count.packets == count.packets:
        at = before.last_packet_at
    else:
        at = end_of_second if before.polled_at <= end_of_second <= now else now
    return MediaActivity(count, now, at, before is None)


def ice_connected(answer: Mapping[str, Any], tag: str) -> bool:
    """Whether ICE has found the address of the side `tag`, which offered none itself, from the response to `query`."""
    streams = streams_of(answer, tag)
    return any(
        value_at(stream, "endpoint", "port") not in (None, 0, DISCARD)
        for stream in streams
        if b"RTP" in list_at(stream, "flags")
    )


def load(answer: Mapping[str, Any]) -> Load:
    """From the response to `statistics`; missing values count as 0.

    rtpengine counts both sides of a session that it transcodes.
    """
    current = value_at(answer, "statistics", "currentstatistics")
    sessions, transcoded = value_at(current, "sessionstotal"), value_at(current, "transcodedmedia")
    return Load(
        sessions if isinstance(sessions, int) else 0,
        (transcoded + 1) // 2 if isinstance(transcoded, int) else 0,
    )
