"""When a token is to be renewed."""

import base64
import json

import jwt
import pytest

from ari_bridge_client.token_keeper import renew_in

SECRET = "x" * 32


@pytest.mark.parametrize(
    ("claims", "now", "expected"),
    [
        ({"iat": 1000, "exp": 5000}, 1000.0, 3940.0),
        ({"iat": 1000, "exp": 5000}, 4990.0, 5.0),
        ({"iat": 1000, "exp": 5000}, 9000.0, 0.0),
        ({"iat": 1000, "exp": 5000}, None, 3940.0),  # fresh: the clock here does not matter
        ({"exp": 5000}, 4900.0, 50.0),
        ({"exp": 5000}, None, None),
        ({"sub": "1001"}, 1000.0, None),
        ({"exp": "soon"}, 1000.0, None),
    ],
)
def test_renew_in(claims: dict[str, object], now: float | None, expected: float | None) -> None:
    head, _, signature = jwt.encode({}, SECRET, algorithm="HS256").split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert renew_in(f"{head}.{body}.{signature}", now) == expected


@pytest.mark.parametrize("token", [None, "", "secret", "a.b", "a.%%%.c", "a.W10.c"])
def test_what_is_no_jwt_is_not_renewed(token: str | None) -> None:
    assert renew_in(token, 0.0) is None
