"""CORS_ORIGIN: who may use the API and the WebSocket."""

import pytest

from frontend.http.cors import Origins


@pytest.mark.parametrize(
    ("allowed", "origin", "host", "let_in"),
    [
        ((), None, "", True),
        ((), "https://evil.example", "127.0.0.1:3000", False),
        ((), "null", "127.0.0.1:3000", False),
        ((), "http://127.0.0.1:3000", "127.0.0.1:3000", True),
        ((), "http://127.0.0.1:5173", "127.0.0.1:3000", False),
        ((), "http://rebound.example:3000", "rebound.example:3000", False),
        (("loopback",), "http://localhost:5173", "127.0.0.1:3000", True),
        (("loopback",), "http://[::1]:5173", "127.0.0.1:3000", True),
        (("loopback",), "http://127.0.0.1.evil.example", "127.0.0.1:3000", False),
        (("loopback",), "https://192.0.2.1", "127.0.0.1:3000", False),
        (("https://Phone.example.com",), "https://phone.example.com", "x", True),
        (("https://phone.example.com",), "http://phone.example.com", "x", False),
        (("https://phone.example.com",), "https://phone.example.com:444", "x", False),
        (("https://phone.example.com",), "https://phone.example.com.evil.example", "x", False),
    ],
)
def test_who_is_let_in(allowed: tuple[str, ...], origin: str | None, host: str, let_in: bool) -> None:
    assert Origins(allowed).allow(origin, host) is let_in
