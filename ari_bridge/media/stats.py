"""What NG `delete` tells of a session: packets of both sides, and what receivers reported of them. Pure.

Seen of rtpengine 10.5. Counts are of what came *from* a side. Loss, jitter, round trip and MOS are kept for each
SSRC, from the RTCP reports about it: for the browser's that is what rtpengine itself found of what the browser sends,
where it makes RTCP of its own. MOS comes tenfold, the round trip in microseconds, jitter in milliseconds.
"""

from collections.abc import Mapping
from typing import Any

from ari_bridge.leg_stats import LegStats, StreamStats
from ari_bridge.media.ng_response import list_at, value_at


def read(answer: Mapping[str, Any], *, browser: str, asterisk: str) -> LegStats | None:
    """`browser`, `asterisk`: the tags of the sides. None if the response has neither."""
    sides = LegStats(_side(answer, browser), _side(answer, asterisk))
    return sides if sides.browser or sides.asterisk else None


def _side(answer: Mapping[str, Any], tag: str) -> StreamStats | None:
    medias = list_at(value_at(answer, "tags", tag), "medias")
    streams = [stream for media in medias for stream in list_at(media, "streams") if b"RTP" in list_at(stream, "flags")]
    if not streams:
        return None
    codec = value_at(medias[0], "codec")
    reported = value_at(answer, "SSRC", str(value_at(streams[0], "SSRC")))
    average, lowest = value_at(reported, "average MOS"), value_at(reported, "lowest MOS")
    return StreamStats(
        packets=sum(_count(value_at(stream, "stats", "packets")) for stream in streams),
        bytes=sum(_count(value_at(stream, "stats", "bytes")) for stream in streams),
        codec=codec.decode("utf-8", "replace").split("/")[0][:32] if isinstance(codec, bytes) else "",
        lost=_number(reported, "cumulative loss", 1),
        jitter_ms=_number(average, "jitter", 1),
        round_trip_ms=_number(average, "round-trip time", 1000),
        loss_percent=_number(average, "packet loss", 1),
        mos=_number(average, "MOS", 10),
        mos_lowest=_number(lowest, "MOS", 10),
    )


def _number(value: Any, key: str, parts: int) -> Any:
    """In whole units; None if the value is missing."""
    found = value_at(value, key)
    if not isinstance(found, int):
        return None
    return found if parts == 1 else found / parts


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
