"""Guests of a page with an API key: whoever opens it has many names, and no more than a stranger has."""

import aiohttp
import pytest

from frontend.app import App
from frontend.settings import Settings
from tests.security.conftest import settings as signed_in_settings
from tests.security.test_api_keys import PAGE, bearer, made, status
from tests.security.test_client_tokens import guest_of, token, with_token

__all__ = ["signed_in_settings"]


@pytest.fixture
def settings(signed_in_settings: Settings) -> Settings:
    """Ten requests at once of a user, fifty of the strangers at an address."""
    return signed_in_settings.model_copy(update={"max_requests_per_second": 1.0})


async def test_guests_share_what_strangers_have(app: App, http: aiohttp.ClientSession) -> None:
    key = await made(app, "tokens:create", "dial", origins=[PAGE])
    server = await made(app, "tokens:create", "dial")
    guests = []
    for digit in "123":
        given = await token(http, key, 201, PAGE, user=guest_of(key, digit * 16))
        guests.append(with_token(given) | {"Origin": PAGE})
    answers = [await status(http, guest, "/me") for _ in range(40) for guest in guests]
    assert answers[:30] == [200] * 30, "a guest has less than an address"
    assert 429 in answers, "each guest has a share of its own"
    assert await status(http, bearer(server), "/me") == 200, "guests use up what a server has"


async def test_guests_share_what_a_user_may_ask_of_costly_things(app: App, http: aiohttp.ClientSession) -> None:
    """Five requests at once."""
    key = await made(app, "tokens:create", "dial", origins=[PAGE])
    guests = [
        with_token(await token(http, key, 201, PAGE, user=guest_of(key, digit * 16))) | {"Origin": PAGE}
        for digit in "1234"
    ]
    answers = [await status(http, guest, "/cdrs") for _ in range(4) for guest in guests]
    assert answers[:5] == [200] * 5 and 429 in answers, "each guest has a share of its own"
