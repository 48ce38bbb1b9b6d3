"""Which candidates of an offer rtpengine is told."""

import pytest

from ari_bridge.errors import InvalidSdp
from ari_bridge.media.candidate_filter import CandidateFilter, PassedOn
from ari_bridge.media.sdp import MAX_CANDIDATES, check_offer
from tests.offers import OFFER

PUBLIC = ["198.51.100.7 40000", "2001:db8::7 40000"]
PRIVATE = ["10.1.2.3 40000", "172.20.0.1 40000", "192.168.1.9 40000", "100.64.0.9 40000", "fd00::7 40000"]
NEVER = [
    "127.0.0.1 40000",
    "127.8.8.8 40000",
    "::1 40000",
    "::ffff:127.0.0.1 40000",
    "169.254.169.254 40000",
    "fe80::1 40000",
    "224.0.0.1 40000",
    "ff02::1 40000",
    "0.0.0.0 40000",
    "255.255.255.255 40000",
    "198.51.100.7 53",
    "198.51.100.7 1023",
    "198.51.100.7 70000",
    "inner.example.com 40000",
    "203.0.113.1 40000",  # rtpengine's own
]


def _with(*addresses: str) -> str:
    lines = [f"a=candidate:{number} 1 udp 1 {address} typ host" for number, address in enumerate(addresses)]
    return OFFER.replace("a=mid:", "\r\n".join([*lines, "a=mid:"]), 1)


def _kept(candidates: CandidateFilter, *addresses: str) -> list[str]:
    lines = candidates.apply(_with(*addresses)).split("\r\n")
    return [" ".join(line.split(" ")[4:6]) for line in lines if line.startswith("a=candidate:")]


def _answer(host: str) -> str:
    family = "IP6" if ":" in host else "IP4"
    return f"v=0\r\nc=IN {family} {host}\r\nm=audio 30000 RTP/AVP 0\r\n"


@pytest.mark.parametrize("passed_on", [PassedOn.AUTO, PassedOn.PUBLIC, PassedOn.PRIVATE])
def test_no_offer_makes_rtpengine_send_where_no_browser_is(passed_on: PassedOn) -> None:
    candidates = CandidateFilter("203.0.113.1", passed_on)
    assert _kept(candidates, *PUBLIC, *NEVER) == PUBLIC


def test_private_addresses_are_passed_on_by_an_rtpengine_at_a_private_address_alone() -> None:
    learning = CandidateFilter()
    assert _kept(learning, *PUBLIC, *PRIVATE) == PUBLIC
    learning.learn(_answer("192.168.1.2"))
    assert _kept(learning, *PRIVATE) == PRIVATE
    learning.learn(_answer("8.8.8.8"))
    assert _kept(learning, *PRIVATE) == []
    assert _kept(CandidateFilter(passed_on=PassedOn.PRIVATE), *PRIVATE) == PRIVATE


def test_where_rtpengine_receives_is_no_candidate() -> None:
    candidates = CandidateFilter()
    candidates.learn(_answer("198.51.100.7"))
    assert _kept(candidates, *PUBLIC) == PUBLIC[1:]


def test_the_default_address_is_no_way_round() -> None:
    offer = _with().replace("c=IN IP4 0.0.0.0", "c=IN IP4 10.1.2.3")
    assert "10.1.2.3" in offer
    assert "10.1.2.3" not in CandidateFilter().apply(offer)
    assert "198.51.100.7" in CandidateFilter().apply(offer.replace("10.1.2.3", "198.51.100.7"))


@pytest.mark.parametrize("at", ["the session", "the section"])
def test_an_address_that_is_left_out_is_not_yet_known_and_no_hold(at: str) -> None:
    """RFC 8840 section 4.1.1: address 0.0.0.0 and port 9. With another port it means hold (RFC 3264 section 8.4)."""
    offer = _with().replace("m=audio 9", "m=audio 40000")
    known = offer.replace("c=IN IP4 0.0.0.0", "c=IN IP4 127.0.0.1\r\na=rtcp:40001")
    if at == "the session":
        without = offer.replace("c=IN IP4 0.0.0.0\r\n", "")
        known = without.replace("t=0 0", "c=IN IP4 127.0.0.1\r\nt=0 0")
    assert known != offer
    passed_on = CandidateFilter().apply(known)
    assert "m=audio 9 " in passed_on and "c=IN IP4 0.0.0.0" in passed_on and "a=rtcp:" not in passed_on
    assert passed_on.count("a=ice-options:trickle") == 1  # else rtpengine tells Asterisk to send to 0.0.0.0
    assert CandidateFilter().apply(passed_on) == passed_on
    assert CandidateFilter(passed_on=PassedOn.ALL).apply(offer).count("a=ice-options:trickle") == 1


def test_an_offer_has_few_candidates() -> None:
    check_offer(_with(*["198.51.100.7 40000"] * MAX_CANDIDATES))
    with pytest.raises(InvalidSdp, match="at most 32"):
        check_offer(_with(*["198.51.100.7 40000"] * (MAX_CANDIDATES + 1)))
