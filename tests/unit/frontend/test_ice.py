"""Time-limited TURN credentials, and who is told of which servers."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.webrtc.ice_servers import MAX_SERVERS, IceServers, credentials, parse_servers

URLS = ("stun:turn.example.com", "turn:turn.example.com:3478?transport=udp", "turns:[2001:db8::1]:5349")
ICE = IceServers(URLS, "north", lifetime=600)


def test_the_user_name_says_when_it_ends_and_the_password_proves_it() -> None:
    given = credentials("north", "1001", 1_800_000_000)
    assert given.username == "1800000000:1001"
    digest = hmac.new(b"north", b"1800000000:1001", hashlib.sha1).digest()
    assert base64.b64decode(given.password) == digest
    assert credentials("south", "1001", 1_800_000_000).password != given.password


def test_a_page_is_told_stun_without_and_turn_with_credentials() -> None:
    told = ICE.message("1001", relay=True, now=1_000.9)
    assert told
    stun, turn = told.servers
    assert (stun.urls, stun.username, stun.credential) == ([URLS[0]], None, None)
    assert (turn.urls, turn.username) == (list(URLS[1:]), "1600:1001")
    assert turn.credential == credentials("north", "1001", 1600).password
    assert told.expires_at == 1600


def test_a_stranger_is_told_stun_alone() -> None:
    told = ICE.message(None, relay=False, now=0.0)
    assert told and [server.urls for server in told.servers] == [[URLS[0]]]
    assert told.expires_at is None
    assert IceServers(URLS[1:], "north").message(None, relay=False, now=0.0) is None


def test_a_page_without_a_user_has_a_name_all_the_same() -> None:
    told = ICE.message(None, relay=True, now=0.0)
    assert told and told.servers[1].username == "600:page"


def test_without_servers_there_is_nothing_to_tell() -> None:
    assert IceServers().message("1001", relay=True, now=0.0) is None


def test_a_page_is_told_anew_before_the_credentials_end() -> None:
    assert 0 < ICE.renewed_after < ICE.lifetime


def test_the_secret_is_never_shown() -> None:
    assert "north" not in repr(ICE) and "north" not in repr(ICE.message("1001", relay=True, now=0.0))


def test_servers_are_read_as_they_are_written() -> None:
    assert parse_servers(" stun:a , turns:b:5349?transport=tcp,") == ("stun:a", "turns:b:5349?transport=tcp")
    assert parse_servers("") == ()
    assert parse_servers(",".join(URLS)) == URLS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("turn.example.com", "is not stun:"),
        ("stun:", "is not stun:"),
        ("stun://a", "is not stun:"),
        ("stun:a:b", "is not stun:"),
        ("stun:-a", "is not stun:"),
        ("turn:user@a", "is not stun:"),
        ("turn:a?transport=tls", "is not stun:"),
        ("stun:a:0", "the port must be"),
        ("stun:a:65536", "the port must be"),
        ("stun:a?transport=udp", "no transport"),
        ("stun:a,stun:b,stun:a", "duplicate"),
        (",".join(f"stun:h{number}" for number in range(MAX_SERVERS + 1)), "at most"),
    ],
)
def test_a_server_that_cannot_be_is_named(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_servers(text)


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        parse_servers(text)
    except ValueError:
        pass
