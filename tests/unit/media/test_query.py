"""What rtpengine's answers to `query` and `statistics` tell."""

from typing import Any

import pytest

from ari_bridge.media.activity import (
    Load,
    MediaActivity,
    PacketCount,
    ice_connected,
    load,
    next_activity,
    packet_count,
    rtp_packets,
)

# As rtpengine 10.5.3 answered, cut to what is read of it.
ANSWER: dict[str, Any] = {
    "created": 1795548388,
    "last signal": 1795548388,
    "tags": {
        "asterisk": {
            "medias": [
                {
                    "streams": [
                        {"flags": [b"RTP"], "last packet": 1795548399, "stats": {"packets": 505}},
                        {"flags": [b"RTCP"], "last packet": 1795548398, "stats": {"packets": 7}},
                    ]
                }
            ]
        },
        "browser": {
            "created": 1795548388,
            "medias": [
                {
                    "codec": b"opus/48000/2",
                    "index": 1,
                    "streams": [
                        {"flags": [b"RTP"], "last packet": 1795548391, "stats": {"packets": 154, "bytes": 2527}},
                        {"flags": [b"RTCP"], "last packet": 1795548388, "stats": {"packets": 0, "bytes": 0}},
                    ],
                }
            ],
        },
    },
}


def test_the_browser_s_side() -> None:
    assert packet_count(ANSWER, "browser") == PacketCount(154, 1795548391)


def test_what_asterisk_has_sent_counts_rtp_alone() -> None:
    assert rtp_packets(ANSWER, "asterisk") == 505
    assert rtp_packets({"tags": {"asterisk": {"medias": [{"streams": [{"flags": [b"RTP"]}]}]}}}, "asterisk") is None


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"tags": {}},
        {"tags": []},
        {"tags": {"browser": {}}},
        {"tags": {"browser": {"medias": [{"streams": [{}, b"x"]}, 7]}}},
        {"tags": {"browser": {"medias": {"streams": []}}}},
    ],
)
def test_an_answer_that_does_not_say(answer: dict[str, Any]) -> None:
    assert packet_count(answer, "browser") is None


def test_nothing_came_yet() -> None:
    assert next_activity(None, PacketCount(0, 100), 105.0).last_packet_at is None


def test_at_the_first_look_the_node_s_whole_second_is_rounded_up_but_never_into_the_future() -> None:
    assert next_activity(None, PacketCount(5, 100), 107.5).last_packet_at == 101.0
    assert next_activity(None, PacketCount(5, 100), 100.4).last_packet_at == 100.4


def test_from_the_second_look_on_the_count_tells_whether_anything_came() -> None:
    first = next_activity(None, PacketCount(5, 100), 100.9)
    assert first.last_packet_at == 100.9
    second = next_activity(first, PacketCount(40, 101), 101.9)
    assert second.last_packet_at == 101.9
    third = next_activity(second, PacketCount(40, 101), 102.9)
    assert third == MediaActivity(PacketCount(40, 101), 102.9, 101.9)
    assert next_activity(third, PacketCount(40, 101), 103.9).last_packet_at == 101.9
    assert next_activity(third, PacketCount(41, 103), 103.9).last_packet_at == 103.9


def test_and_rtpengine_s_clock_when() -> None:
    first = next_activity(None, PacketCount(5, 100), 100.9)
    assert next_activity(first, PacketCount(100, 102), 160.0).last_packet_at == 103.0


@pytest.mark.parametrize("last", [40, 150])
def test_its_clock_may_be_wrong_by_a_minute(last: int) -> None:
    first = next_activity(None, PacketCount(5, last), 100.0)
    assert next_activity(first, PacketCount(55, last + 1), 101.0).last_packet_at == 101.0


def test_sessions_in_all() -> None:
    told = {"statistics": {"currentstatistics": {"sessionstotal": 7, "transcodedmedia": 6}}}
    assert load(told) == Load(sessions=7, transcoded=3)
    assert load({"statistics": {}}) == load({"statistics": {"currentstatistics": b"?"}}) == Load(0, 0)


@pytest.mark.parametrize(("port", "found"), [(9, False), (0, False), (50000, True)])
def test_a_browser_is_reached_once_ice_has_given_its_stream_an_address(port: int, found: bool) -> None:
    rtp = {"endpoint": {"address": b"192.0.2.7", "port": port}, "flags": [b"RTP", b"ICE"]}
    rtcp = {"endpoint": {"address": b"192.0.2.7", "port": 50001}, "flags": [b"RTCP"]}
    answer = {"tags": {"browser": {"medias": [{"streams": [rtp, rtcp]}]}}}
    assert ice_connected(answer, "browser") is found
    assert not ice_connected(answer, "asterisk")
    assert not ice_connected({}, "browser")
