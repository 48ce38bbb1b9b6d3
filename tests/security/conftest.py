"""A whole server with sign-in, beside a tiny Asterisk and a tiny rtpengine, and what its users have."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher

from ari_bridge.accounts import passwords
from ari_bridge.accounts.users_file import UsersFile
from frontend.app import App
from frontend.settings import Settings
from tests.component.frontend.conftest import app, http, pbx, rtpengine
from tests.component.frontend.conftest import settings as open_settings

__all__ = ["app", "http", "open_settings", "pbx", "rtpengine"]

PASSWORD = "a staple for the battery of horses"
"""None of the examples in the API's document: the fuzzer would change it."""
USERS = {"1001": "user", "1002": "user", "2001": "supervisor", "2002": "operator", "2003": "auditor", "9001": "admin"}
SignIn = Callable[[str], Awaitable[dict[str, str]]]


@pytest.fixture
def settings(open_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    for name, role in USERS.items():
        UsersFile(open_settings.users_file).add(name, PASSWORD, role)
    return open_settings.model_copy(update={"enable_authentication": True, "disconnect_grace": 30.0})


@pytest.fixture
def sign_in(http: aiohttp.ClientSession) -> SignIn:
    """The header of a user who has signed in."""

    async def sign_in(user: str) -> dict[str, str]:
        async with http.post("/session", json={"user": user, "password": PASSWORD}) as response:
            assert response.status == 200, await response.text()
            return {"Authorization": f"Bearer {(await response.json())['token']}"}

    return sign_in


class Page:
    """A WebSocket of a client, and the session that `welcome` named."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.session = ""

    async def told(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these types."""
        while True:
            frame = await self.socket.receive(timeout=10)
            assert frame.type is aiohttp.WSMsgType.TEXT, frame
            message: dict[str, Any] = json.loads(frame.data)
            if message["type"] in kinds:
                return message

    async def ask(self, answer: str, **message: Any) -> dict[str, Any]:
        """What comes of it: `answer`, or an error."""
        await self.socket.send_json(message)
        return await self.told(answer, "error")


@pytest.fixture
async def page(app: App) -> AsyncIterator[Callable[[], Awaitable[Page]]]:
    async with aiohttp.ClientSession() as http:

        async def open_page() -> Page:
            page = Page(await http.ws_connect(app.ws_url))
            page.session = (await page.told("welcome"))["session"]
            return page

        yield open_page
