"""Whose request it is: what a proxy tells is believed as far as it is trusted."""

import pytest

from frontend.auth.proxies import Proxies, parse_proxies

PROXIES = Proxies(parse_proxies("loopback, 192.0.2.7, 10.0.0.0/8, 2001:db8:1::/48"))


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("198.51.100.9", ["203.0.113.5"], "198.51.100.9"),  # no proxy of ours: whatever it says
        ("127.0.0.1", ["203.0.113.5, 198.51.100.1"], "198.51.100.1"),  # the first was written by the client
        ("127.0.0.1", ["203.0.113.5", "198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1, 10.1.2.3, 192.0.2.7"], "198.51.100.1"),  # a chain of ours
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"),  # somebody in our own network
        ("127.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("127.0.0.1", ["[2001:db8::5]:4711"], "2001:db8::5"),
        ("127.0.0.1", ["2001:db8::5"], "2001:db8::5"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, nonsense, 10.1.2.3"], "10.1.2.3"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_x_forwarded_for(peer: str, told: list[str], client: str) -> None:
    assert PROXIES.client(peer, told) == client


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ('For="[2001:db8::5]:4711";proto=https;by=10.0.0.1', "2001:db8::5"),
        ("for=203.0.113.5;host=a, for=198.51.100.1", "198.51.100.1"),
        ("for=198.51.100.1, for=10.0.0.2;proto=http", "198.51.100.1"),
        ("proto=https;for=198.51.100.1", "198.51.100.1"),
        ('for="_hidden"', "127.0.0.1"),
        ("for=unknown", "127.0.0.1"),
        ("proto=https", "127.0.0.1"),
        ('for="198.51.100.1', "127.0.0.1"),
        ('for="x, for=203.0.113.5", for=198.51.100.1', "198.51.100.1"),  # no element out of a quoted string
    ],
)
def test_forwarded(told: str, client: str) -> None:
    assert PROXIES.client("127.0.0.1", (), [told]) == client


def test_a_header_that_the_proxy_only_handed_on_is_not_believed() -> None:
    assert PROXIES.client("127.0.0.1", ["198.51.100.1"], ["for=203.0.113.5"]) == "127.0.0.1"
    assert PROXIES.client("127.0.0.1", ["198.51.100.1"], ["for=198.51.100.1"]) == "198.51.100.1"


def test_nobody_is_trusted_unless_it_is_set() -> None:
    assert Proxies().client("127.0.0.1", ["198.51.100.1"]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("proxy.example.com", "'proxy.example.com' is neither an address"),
        ("10.0.0.1/8", "'10.0.0.1/8' is neither an address"),
        ("0.0.0.0/0", "would trust every client"),
        ("::/0", "would trust every client"),
    ],
)
def test_what_is_no_proxy(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_proxies(written)
