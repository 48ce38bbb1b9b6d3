"""What an offer must have, and what is made of offers and answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.errors import InvalidSdp
from ari_bridge.media.codec_policy import Codec
from ari_bridge.media.sdp import (
    answer_all_sections,
    audio_only,
    check_offer,
    codecs,
    parse,
    pcmu_answer,
    rtp_address,
    with_candidates,
    with_opus_options,
)
from ari_bridge.net import RtpAddress
from tests.fakes.rtpengine import TO_BROWSER
from tests.offers import OFFER

VIDEO = "\r\n".join(
    [
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 0.0.0.0",
        "a=mid:1",
        "a=rtpmap:96 VP8/90000",
        "",
    ]
)
BOTH = OFFER.replace("BUNDLE 0", "BUNDLE 0 1") + VIDEO


def without(name: str) -> str:
    return "\r\n".join(line for line in OFFER.split("\r\n") if not line.startswith(name))


def test_a_browsers_offer_is_taken() -> None:
    check_offer(OFFER)
    check_offer(BOTH)
    check_offer(OFFER.replace("\r\n", "\n"))


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        ("", "empty"),
        (" \r\n ", "empty"),
        ("hello", "begin with v=0"),
        ("v=0\r\nnonsense\r\n", "Line 2"),
        ("v=0\r\nm=audio\r\n", "Line 2"),
        ("v=0\r\n", "no audio"),
        (OFFER.partition("m=audio")[0] + VIDEO, "no audio, but video"),
        (OFFER.replace("m=audio 9 ", "m=audio 0 "), "no audio"),
        (
            OFFER.replace("opus/48000/2", "speex/8000").replace("PCMU", "G729").replace(" 0 126", " 8 126"),
            "neither Opus",
        ),
        (without("a=ice-ufrag"), "ICE"),
        (without("a=fingerprint"), "DTLS"),
        (OFFER + "a=x:" + "y" * 1_000_000, "at most 65536"),
    ],
)
def test_what_cannot_become_a_call_is_told(offer: str, why: str) -> None:
    with pytest.raises(InvalidSdp, match=why) as error:
        check_offer(offer)
    assert error.value.field == "sdp"


@given(st.text(max_size=300))
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        check_offer(text)
    except InvalidSdp:
        pass


def test_credentials_may_stand_for_the_whole_session() -> None:
    lines = OFFER.split("\r\n")
    common = [line for line in lines if line.startswith(("a=ice-", "a=fingerprint"))]
    rest = [line for line in lines if line not in common]
    check_offer("\r\n".join(rest[:4] + common + rest[4:]))


def test_the_codecs_are_seen() -> None:
    assert codecs(OFFER) == {Codec.OPUS, Codec.PCMU}
    assert codecs(OFFER.replace("opus/48000/2", "L16/44100")) == {Codec.PCMU}
    assert codecs(without("a=rtpmap:0")) == {Codec.OPUS, Codec.PCMU}  # payload type 0 needs no name
    assert codecs(without("a=rtpmap:0").replace(" 0 126", " 126")) == {Codec.OPUS}
    assert codecs("v=0\r\n") == frozenset()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "useinbandfec=1;usedtx=0"),
        ("a=fmtp:111 minptime=10;useinbandfec=0", "minptime=10;useinbandfec=1;usedtx=0"),
        ("a=fmtp:111 usedtx=1; minptime=10; word", "usedtx=0;minptime=10;word;useinbandfec=1"),
    ],
)
def test_the_browsers_encoder_is_told_what_to_do(said: str, told: str) -> None:
    answer = TO_BROWSER.replace("a=mid:0\r\n", f"a=mid:0\r\n{said}\r\n" if said else "a=mid:0\r\n")
    lines = with_opus_options(answer, fec=True, dtx=False).split("\r\n")
    assert [line for line in lines if line.startswith("a=fmtp")] == [f"a=fmtp:111 {told}"]
    assert [line for line in lines if not line.startswith("a=fmtp")] == TO_BROWSER.split("\r\n")


def test_an_answer_without_opus_stays_as_it_is() -> None:
    pcmu = TO_BROWSER.replace("opus/48000/2", "PCMU/8000")
    assert with_opus_options(pcmu, fec=True, dtx=True) == pcmu


def test_late_candidates_are_put_to_the_audio_of_their_offer() -> None:
    late = ["1 1 udp 1677729535 192.0.2.7 50000 typ srflx raddr 0.0.0.0 rport 0"]
    assert with_candidates(BOTH, late, complete=True) == BOTH.replace(
        VIDEO, f"a=candidate:{late[0]}\r\na=end-of-candidates\r\n{VIDEO}"
    )
    assert with_candidates(OFFER, late, complete=False) == OFFER + f"a=candidate:{late[0]}\r\n"
    assert with_candidates("v=0\r\n", late, complete=True) == "v=0\r\n"


def test_rtpengine_sees_the_audio_alone() -> None:
    assert audio_only(BOTH) == OFFER


def test_the_answer_has_every_section_of_the_offer() -> None:
    answer = parse(answer_all_sections(BOTH, TO_BROWSER))
    assert [section.kind for section in answer.sections] == ["audio", "video"]
    assert answer.sections[1].lines[0] == "m=video 0 UDP/TLS/RTP/SAVPF 96"
    assert answer.sections[1].mid == "1"
    assert answer.session[-1] == "a=group:BUNDLE 0"


def test_a_bundle_is_accepted_where_one_was_offered() -> None:
    assert parse(answer_all_sections(OFFER, TO_BROWSER)).session[-1] == "a=group:BUNDLE 0"
    assert answer_all_sections(without("a=group"), TO_BROWSER) == TO_BROWSER


def test_the_address_of_the_section_goes_before_the_sessions() -> None:
    assert rtp_address("v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n") == RtpAddress("10.0.0.1", 4000)
    text = "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::1\r\n"
    assert rtp_address(text) == RtpAddress("::1", 4000)
    with pytest.raises(InvalidSdp, match="address"):
        rtp_address("v=0\r\nm=audio 4000 RTP/AVP 0\r\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_asterisks_answer_is_pcmu_at_its_address(host: str) -> None:
    answer = pcmu_answer(RtpAddress(host, 12000))
    assert rtp_address(answer) == RtpAddress(host, 12000)
    assert "m=audio 12000 RTP/AVP 0\r\n" in answer
