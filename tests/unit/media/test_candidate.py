"""ICE candidates as browsers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.errors import InvalidRequest
from ari_bridge.media.ice_candidate import LONGEST, read_candidate

CHROMIUM = (
    "842163049 1 udp 1677729535 203.0.113.9 46154 typ srflx raddr 10.0.0.5 rport 46154 generation 0 ufrag EsAw "
    "network-id 1 network-cost 10"
)
FIREFOX = "1 1 UDP 2122187007 2001:db8::7 53421 typ host"


@pytest.mark.parametrize("value", [CHROMIUM, FIREFOX])
@pytest.mark.parametrize("before", ["", "candidate:", "a=candidate:"])
def test_browsers_candidates_are_read(value: str, before: str) -> None:
    assert read_candidate(before + value) == value


@pytest.mark.parametrize(
    "useless",
    [
        "1 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active",
        "1 2 udp 2122260222 10.0.0.5 58999 typ host",
        "1 1 udp 2122260223 0d3f9c0e-1b4f-4a52-9c2f-0d6f6a1b2c3d.local 58999 typ host",
    ],
)
def test_what_rtpengine_cannot_use_is_left_out(useless: str) -> None:
    assert read_candidate(f"candidate:{useless}") is None


@pytest.mark.parametrize(
    "wrong",
    [
        "candidate",
        "candidate:1 1 udp",
        "candidate:1 1 udp 1 10.0.0.5 70000 typ host",
        "candidate:1 1 udp 1 10.0.0.5 9 typ strange",
        f"candidate:{FIREFOX}\r\na=crypto:1 x",
        f"candidate:{FIREFOX} lonely",
        f"candidate:{FIREFOX}" + " a b" * LONGEST,
    ],
)
def test_what_is_no_candidate_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        read_candidate(wrong)
    assert error.value.field == "candidate"


@given(st.text(max_size=200))
def test_no_text_gets_a_line_break_into_the_sdp(text: str) -> None:
    try:
        value = read_candidate(text)
    except InvalidRequest:
        return
    assert value is None or value.isprintable()
