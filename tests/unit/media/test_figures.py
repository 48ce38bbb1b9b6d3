"""What is read of rtpengine's answer to `delete`. The answer is one of rtpengine 10.5, cut down."""

from typing import Any

import pytest

from ari_bridge.media.stats import read

ANSWER: dict[str, Any] = {
    "result": b"ok",
    "SSRC": {
        "442771628": {
            "cumulative loss": 12,
            "average MOS": {"MOS": 41, "jitter": 3, "packet loss": 2, "round-trip time": 26000, "samples": 4},
            "lowest MOS": {"MOS": 38, "jitter": 5, "packet loss": 6, "round-trip time": 30000},
        }
    },
    "tags": {
        "browser": {
            "medias": [
                {
                    "codec": b"opus/48000/2",
                    "streams": [
                        {"SSRC": 442771628, "flags": [b"RTP", b"RTCP"], "stats": {"packets": 671, "bytes": 227543}},
                        {"SSRC": 442771628, "flags": [b"RTCP"], "stats": {"packets": 9, "bytes": 900}},
                    ],
                }
            ]
        },
        "asterisk": {
            "medias": [
                {
                    "codec": b"PCMU/8000",
                    "streams": [{"SSRC": 235457693, "flags": [b"RTP"], "stats": {"packets": 648, "bytes": 111456}}],
                }
            ]
        },
    },
}


def test_both_sides_are_read_in_our_units() -> None:
    figures = read(ANSWER, browser="browser", asterisk="asterisk")
    assert figures
    assert figures.data() == {
        "browser": {
            "packets": 671,
            "bytes": 227543,
            "codec": "opus",
            "lost": 12,
            "jitterMs": 3,
            "roundTripMs": 26.0,
            "lossPercent": 2,
            "mos": 4.1,
            "mosLowest": 3.8,
        },
        "asterisk": {"packets": 648, "bytes": 111456, "codec": "PCMU"},
    }


@pytest.mark.parametrize(
    "answer", [{}, {"result": b"ok"}, {"tags": []}, {"tags": {"browser": {"medias": [{"streams": [7]}]}}}]
)
def test_an_answer_that_tells_nothing_gives_nothing(answer: dict[str, Any]) -> None:
    assert read(answer, browser="browser", asterisk="asterisk") is None
