"""The sign-in ends in a call: it is asked for there, and the call does as it is told meanwhile."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from playwright.async_api import Browser, WebSocketRoute, expect

from tests.e2e.accounts import PASSWORD, accounts, sign_in
from tests.e2e.conftest import both_browsers
from tests.e2e.ears import Ears
from tests.e2e.softphone import Softphone, new_context
from tests.e2e.test_resume import Cable
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0


class AgeingTokens(Cable):
    """A connection on which the page's first token has ended, once `end` was called."""

    def __init__(self, secret: Path) -> None:
        super().__init__()
        self._secret = secret
        self._ended: str | None = None
        self._first: str | None = None

    def end(self) -> None:
        assert self._first
        claims = jwt.decode(self._first, options={"verify_signature": False}) | {"exp": int(time.time()) - 600}
        self._ended = jwt.encode(claims, self._secret.read_text().strip())

    async def connect(self, socket: WebSocketRoute) -> None:
        if self._out:
            return await socket.close()
        self._sockets.append(socket)
        server = socket.connect_to_server()
        socket.on_message(lambda message: server.send(self._aged(message)))

    def _aged(self, text: str | bytes) -> str | bytes:
        message: dict[str, Any] = json.loads(text)
        if message["type"] not in ("register", "resume"):
            return text
        self._first = self._first or message["token"]
        return (
            json.dumps({**message, "token": self._ended}) if self._ended and message["token"] == self._first else text
        )


@asynccontextmanager
async def talking(
    site_with: LiveSystemWith, browser: Browser, folder: Path
) -> AsyncIterator[tuple[LiveSystem, Softphone]]:
    """A page in a call, whose sign-in the server takes no more, and whose connection was lost and is back."""
    settings = accounts(folder, "1001")
    async with site_with(disconnect_grace=20.0, **settings) as site, new_context(browser) as context:
        ears = Ears()
        await ears.attach(context)
        phone = Softphone(await context.new_page(), ears)
        cable = AgeingTokens(folder / "secret")
        await phone.page.route_web_socket(re.compile("/ws$"), cable.connect)
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001")
        await phone.online()
        await phone.call("601")
        await phone.hears(MILLIWATT)
        await phone.talks()
        cable.end()
        site.app.accounts.sessions.max_idle = -1.0  # and it is not refreshed
        await cable.pull()
        cable.plug_in()
        await expect(phone.page.get_by_test_id("sign-in-again")).to_contain_text("Your sign-in has ended.")
        yield site, phone


@both_browsers
async def test_a_hang_up_is_carried_out_at_once(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with talking(site_with, browser, tmp_path) as (site, phone):
        await phone.press("Hang up")
        await site.require_nothing_left()
        await expect(phone.button("Sign in")).to_be_visible()


@both_browsers
async def test_the_call_goes_on_and_the_next_one_can_be_made(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with talking(site_with, browser, tmp_path) as (_, phone):
        again = phone.page.get_by_test_id("sign-in-again")
        await phone.write(again.get_by_label("Password"), "wrong")
        await again.get_by_role("button").click()
        await expect(again).to_contain_text("Wrong name or password.")
        await phone.write(again.get_by_label("Password"), PASSWORD)
        await again.get_by_role("button").click()
        await expect(again).to_be_hidden()
        await phone.online()
        phone.forget()
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await phone.call("601")
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")
