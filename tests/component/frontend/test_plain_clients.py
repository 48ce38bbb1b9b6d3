"""Clients of older kits: a plain WebSocket that only connects, at any of the addresses where it is looked for."""

from pathlib import Path

import aiohttp
import pytest

from ari_bridge.accounts.users_file import UsersFile
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.frontend.test_sessions import told
from tests.fakes.ari import FakeAri
from tests.hang_up import hang_up_all
from tests.offers import OFFER

ADDRESSES = ["{ws}?user=1001", "{second}?user=1001", "{second}ws?user=1001"]


def address(app: App, written: str) -> str:
    return written.format(ws=app.ws_url, second=app.legacy_ws_url)


@pytest.mark.parametrize("written", ADDRESSES)
async def test_who_only_connects_hears_incoming_calls_by_the_name_in_the_address(
    app: App, pbx: FakeAri, written: str
) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(address(app, written)) as socket:
        assert (await told(socket, "registered"))["user"] == "1001"
        await pbx.call_in("ast-1", "1001")
        rings = await told(socket, "incoming-call")
        assert (rings["caller"], rings["target"]) == ("42", "1001")
        await socket.send_json({"type": "offer", "callId": rings["callId"], "sdp": OFFER})
        assert (await told(socket, "state"))["state"] == "accepted"
        await hang_up_all(app.calls)


async def test_without_a_name_nobody_is_registered(app: App) -> None:
    for written in ("{ws}", "{ws}?user=", "{ws}?name=1001"):
        async with aiohttp.ClientSession() as http, http.ws_connect(address(app, written)) as socket:
            await told(socket, "welcome")
            await socket.send_json({"type": "ping", "id": 1})
            await told(socket, "pong")
            assert app.pages.users() == []


async def test_a_name_that_is_none_is_told(app: App) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{app.ws_url}?user=a%20b") as socket:
        error = await told(socket, "error")
        assert (error["code"], error["field"]) == ("invalid_request", "user")


async def test_the_second_port_answers_whatever_a_program_asks_that_knows_it_alone(app: App) -> None:
    base = app.legacy_ws_url.replace("ws", "http", 1)
    async with aiohttp.ClientSession(base) as http:
        for path in ("/config", "/health", "/calls", "/recordings"):
            async with http.get(path) as response:
                assert response.status == 200, path
        async with http.post("/invite", json={"target": "600", "sdp": OFFER}) as response:
            call_id = (await response.json())["callId"]
        async with http.delete(f"/call/{call_id}") as response:
            assert response.status == 204
        for path in ("/metrics", "/live", "/dashboard"):  # for operators, at the port that they know
            async with http.get(path) as response:
                assert response.status == 404, path


class TestSignedIn:
    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path) -> Settings:
        UsersFile(tmp_path / "users").add("1001", "correct horse battery")
        return settings.model_copy(update={"enable_authentication": True})

    async def test_a_name_alone_is_no_sign_in(self, app: App) -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{app.ws_url}?user=1001") as socket:
            error = await told(socket, "error")
            assert (error["code"], error["field"]) == ("unauthorized", "token")
            assert app.pages.users() == []

    async def test_with_the_token_in_the_upgrade_it_is(self, app: App) -> None:
        async with aiohttp.ClientSession(app.url) as http:
            async with http.post("/session", json={"user": "1001", "password": "correct horse battery"}) as response:
                token = (await response.json())["token"]
            for user, kind in (("1001", "registered"), ("1002", "error")):
                headers = {"Authorization": f"Bearer {token}"}
                async with http.ws_connect(f"{app.ws_url}?user={user}", headers=headers) as socket:
                    await told(socket, kind)
        await until(lambda: not app.pages.users())
