"""One address of a server is enough."""

import pytest

from ari_bridge_client.urls import http_url, ws_url


@pytest.mark.parametrize(
    ("given", "ws", "http"),
    [
        ("http://127.0.0.1:3000", "ws://127.0.0.1:3000/ws", "http://127.0.0.1:3000"),
        ("https://phone.example.com/", "wss://phone.example.com/ws", "https://phone.example.com"),
        ("https://example.com/phone/", "wss://example.com/phone/ws", "https://example.com/phone"),
        ("ws://127.0.0.1:3000/ws", "ws://127.0.0.1:3000/ws", "http://127.0.0.1:3000"),
        ("wss://example.com/phone/ws", "wss://example.com/phone/ws", "https://example.com/phone"),
        ("ws://127.0.0.1:8080/", "ws://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:3000", "ws://[::1]:3000/ws", "http://[::1]:3000"),
    ],
)
def test_both_addresses_from_either(given: str, ws: str, http: str) -> None:
    assert (ws_url(given), http_url(given)) == (ws, http)


@pytest.mark.parametrize("given", ["", "127.0.0.1:3000", "ftp://example.com", "http://"])
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(ValueError):
        ws_url(given)
