"""Where security keys can be used: what browsers take, and what is refused when the server starts."""

import pytest

from frontend.auth.relying_party import check_origins


@pytest.mark.parametrize(
    "origins",
    [
        ["https://phone.example.com"],
        ["https://example.com", "https://phone.example.com:8443"],
        ["http://localhost:3000"],
        ["http://phone.localhost"],
    ],
)
def test_pages_that_can_use_keys(origins: list[str]) -> None:
    check_origins(origins)


@pytest.mark.parametrize(
    ("origins", "why"),
    [
        (["http://phone.example.com"], "no secure context"),
        (["http://localhost.example.com"], "no secure context"),
        (["https://192.0.2.7"], "IP address"),
        (["https://[2001:db8::1]:3000"], "IP address"),
        (["https://phone.example.com/"], "no origin"),
        (["https://Phone.example.com"], "no origin"),
        (["https://user@phone.example.com"], "no origin"),
        (["phone.example.com"], "no origin"),
        (["https://phone.example.com", "https://phone.example.org"], "not at phone.example.com"),
        (["https://phone.example.com", "https://evilphone.example.com"], "not at phone.example.com"),
    ],
)
def test_what_is_refused(origins: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_origins(origins)
