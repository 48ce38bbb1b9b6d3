"""SIP messages of every kind, good and bad, and the answer to a challenge."""

import secrets

import pytest

from ari_bridge.diagnostics import rtp_port
from ari_bridge.diagnostics.sip_digest import Credentials, UnknownChallenge, answer, is_stale
from ari_bridge.diagnostics.sip_message import (
    MAX_MESSAGE_BYTES,
    BadMessage,
    Request,
    Response,
    StreamReader,
    branch_of,
    parse,
    tag_of,
    uri_of,
    write,
)

RINGING = (
    b"SIP/2.0 180 Ringing\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK2\r\n"
    b't : <sip:a@h;x=y>;tag=7\r\nm: "A <b>" <sip:a@192.0.2.9:5060;transport=tcp>\r\nSubject: two\r\n  lines\r\n'
    b"l: 2\r\n\r\nhi"
)


def test_a_response_with_short_names_and_folded_lines() -> None:
    found = parse(RINGING)
    assert isinstance(found, Response) and (found.status, found.reason, found.final) == (180, "Ringing", False)
    assert branch_of(found) == "z9hG4bK1" and tag_of(found.headers.get("to")) == "7"
    assert uri_of(found.headers.get("contact")) in ("sip:a@192.0.2.9:5060;transport=tcp", "b")
    assert found.headers.get("subject") == "two lines" and found.body == b"hi"
    assert len(found.headers.all("via")) == 2 and found.headers.get("x") == ""


def test_what_is_written_can_be_read() -> None:
    found = parse(write("BYE sip:a@h SIP/2.0", [("CSeq", "1 BYE")], b"x\r\n\r\ny"))
    assert found == Request("BYE", "sip:a@h", found.headers, b"x\r\n\r\ny")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK",
        b"SIP/2.0 20 OK\r\n\r\n",
        b"SIP/2.0 99999 OK\r\n\r\n",
        b"SIP/3.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nno colon\r\n\r\n",
        b"SIP/2.0 200 OK\r\n: empty\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhi",
        b"SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"SIP/2.0 200 OK\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        b"SIP/2.0 200 OK\r\na: " + b"x" * MAX_MESSAGE_BYTES + b"\r\n\r\n",
        b"invite sip:a@h SIP/2.0\r\n\r\n",
        b"INVITE sip:a b@h SIP/2.0\r\n\r\n",
    ],
    ids=range(17),
)
def test_what_is_no_message(raw: bytes) -> None:
    with pytest.raises(BadMessage):
        parse(raw)


def test_a_stream_is_cut_where_its_messages_end() -> None:
    stream = RINGING + b"\r\n\r\n" + write("OPTIONS sip:h SIP/2.0", []) + RINGING
    for size in (1, 7, len(stream)):
        reader = StreamReader()
        found = [one for start in range(0, len(stream), size) for one in reader.feed(stream[start : start + size])]
        assert found == [RINGING, write("OPTIONS sip:h SIP/2.0", []), RINGING]


@pytest.mark.parametrize(
    "stream", [b"x" * 70_000, b"SIP/2.0 200 OK\r\nl: 999999\r\n\r\n", b"a\r\nl: x\r\n\r\n"], ids="abc"
)
def test_a_stream_that_cannot_be_read_is_given_up(stream: bytes) -> None:
    with pytest.raises(BadMessage):
        StreamReader().feed(stream)


# --- digest -----------------------------------------------------------------------------------

MUFASA = Credentials("Mufasa", "Circle of Life")


def test_the_example_of_rfc_7616(monkeypatch: pytest.MonkeyPatch) -> None:
    nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    monkeypatch.setattr(secrets, "token_hex", lambda size: nonce)
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    md5, sha = (challenge.format(name) for name in ("MD5", "SHA-256"))
    path = "/dir/index.html"
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in answer([md5], MUFASA, "GET", path)
    better = answer([md5, sha], MUFASA, "GET", path)
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in better
    assert "algorithm=SHA-256" in better and "qop=auth" in better and "nc=00000001" in better
    assert "opaque=" in better and "Circle" not in better


def test_without_qop_as_in_rfc_2069() -> None:
    given = answer(['Digest realm="r", nonce="n"'], Credentials("u", "p"), "REGISTER", "sip:h")
    assert "qop" not in given and "cnonce" not in given and 'uri="sip:h"' in given


@pytest.mark.parametrize(
    "challenges",
    [
        [],
        [""],
        ["Basic realm=x"],
        ['Digest realm="r"'],
        ['Digest realm="r", nonce="n", algorithm=MD5-sess'],
        ['Digest realm="r", nonce="n", qop="auth-int"'],
        ["Digest " + "," * 5000],
    ],
    ids=range(7),
)
def test_a_challenge_that_nobody_can_answer(challenges: list[str]) -> None:
    with pytest.raises(UnknownChallenge):
        answer(challenges, MUFASA, "INVITE", "sip:h")


def test_only_an_old_nonce_is_tried_again() -> None:
    assert is_stale(['Digest realm="r", nonce="n", stale=TRUE'])
    assert not is_stale(['Digest realm="r", nonce="n"'])


# --- sound ------------------------------------------------------------------------------------


def test_mulaw_as_itu_t_g_711_has_it() -> None:
    assert [rtp_port.decode(code) for code in (0x00, 0x80, 0xFF, 0x7F, 0x8F)] == [-32124, 32124, 0, 0, 16764]
    for code in range(256):
        assert rtp_port.decode(rtp_port.encode(rtp_port.decode(code))) == rtp_port.decode(code)
    assert rtp_port.decode(rtp_port.encode(99_999)) == 32124
