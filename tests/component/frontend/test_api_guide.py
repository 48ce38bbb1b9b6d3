"""docs/API.md: every exchange in it is had with a server as it is written, and its WebSocket example hears a call.

What differs is what must: the address, an SDP that is none ("v=0…"), a call's id ("1k3f…"), an ETag, a password ("…").
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import passwords
from ari_bridge.accounts.users_file import UsersFile
from deploy.demo.install import PROJECT, node_environment
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.ari import FakeAri
from tests.hang_up import hang_up_all
from tests.offers import OFFER

GUIDE = (PROJECT / "docs" / "API.md").read_text()
BLOCKS = re.findall(r"^```http\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
EXCHANGES = [(asked, told) for asked, _, told in (block.partition("\n\n") for block in BLOCKS)]
PASSWORD = "correct horse battery"


@pytest.fixture
async def http(app: App, settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    UsersFile(settings.users_file).add("1001", PASSWORD)
    async with aiohttp.ClientSession(app.url) as session:
        yield session


def answers_of(written: str) -> dict[int, set[str]]:
    """Each status, and the names in what comes with it."""
    told = re.split(r"^(\d{3})\b", written, flags=re.MULTILINE)[1:]
    return {int(status): set(re.findall(r'"(\w+)":', body)) for status, body in zip(told[::2], told[1::2], strict=True)}


async def signed_in(http: aiohttp.ClientSession) -> str:
    """The refresh token of a user."""
    async with http.post("/session", json={"user": "1001", "password": PASSWORD}) as response:
        return str((await response.json())["refreshToken"])


async def first_sign_in(http: aiohttp.ClientSession, app: App) -> str:
    """The challenge of a user whose password was chosen by somebody else."""
    await app.accounts.open()
    await app.accounts.set_password("1001", passwords.hash_password(PASSWORD), must_change=True)
    async with http.post("/session", json={"user": "1001", "password": PASSWORD}) as response:
        return str((await response.json())["challenge"])


def test_the_guide_has_exchanges() -> None:
    assert len(EXCHANGES) == GUIDE.count("```http") >= 5
    assert all(answers_of(told) for _, told in EXCHANGES), "a request has no answer"


@pytest.mark.parametrize(("asked", "told"), EXCHANGES, ids=[asked.splitlines()[0] for asked, _ in EXCHANGES])
async def test_an_exchange(http: aiohttp.ClientSession, app: App, asked: str, told: str) -> None:
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}) as response:
        call_id = (await response.json())["callId"]
    await until(lambda: app.calls.get(call_id).answered_at, "a call to ask for")
    first, *lines = asked.replace("1k3f…", call_id).splitlines()
    method, path, *_ = first.split()
    headers = dict(line.split(": ", 1) for line in lines if re.match(r"[A-Z][\w-]+: ", line))
    body: Any = next((json.loads(line) for line in lines if line.startswith("{")), None)
    if body and "sdp" in body:
        body["sdp"] = OFFER
    if body and "password" in body:
        body["password"] = PASSWORD
    if body and "challenge" in body:
        body = {"challenge": await first_sign_in(http, app), "newPassword": "four other words, all long"}
    if body and "refreshToken" in body:
        body["refreshToken"] = await signed_in(http)
    async with http.request(method, path, json=body, headers=headers) as response:
        expected = answers_of(told)
        assert response.status == next(iter(expected)), await response.text()
        assert expected[response.status] <= set(re.findall(r'"(\w+)":', await response.text()))
    await hang_up_all(app.calls)


async def test_the_websocket_example_hears_who_calls(app: App, pbx: FakeAri, tmp_path: Path) -> None:
    [code] = re.findall(r"^```js\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert (written := "ws://localhost:8080/") in code
    file = tmp_path / "example.mjs"
    file.write_text(code.replace(written, app.legacy_ws_url))
    node = await asyncio.create_subprocess_exec(
        "node", "--experimental-websocket", file, stdout=asyncio.subprocess.PIPE, env=node_environment() or None
    )
    try:
        await until(lambda: app.pages.users() == ["1001"], "it is registered")
        await pbx.call_in("ast-1", "1001")
        assert node.stdout
        async with asyncio.timeout(5):
            assert await node.stdout.readline() == b"42 calls 1001\n"
    finally:
        node.terminate()
        await node.wait()
        await hang_up_all(app.calls)
