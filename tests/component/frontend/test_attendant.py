"""Preferences, voicemail and the directory, as pages and programs meet them."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from frontend.api.routes.people import PeopleApi
from frontend.app import App
from frontend.http import middleware
from frontend.presence.preferences import UserServices
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.accounts import an_authenticator
from tests.fakes.ari import FakeAri, RingsForEver
from tests.offers import OFFER

FORWARDED = {
    "ARI_BRIDGE_STATUS": "FORWARD",
    "ARI_BRIDGE_FORWARD": "200",
    "__ARI_BRIDGE_ON_BEHALF_OF": "1001",
    "__ARI_BRIDGE_KIND": "forward",
}


@pytest.fixture
def settings(settings: Settings, pbx: FakeAri) -> Settings:
    pbx.mailboxes["1001@default"] = (2, 1)
    pbx.phones |= {"PJSIP/200": "online", "PJSIP/201": "offline", "PJSIP/trunk": "online"}
    return settings.model_copy(
        update={
            "voicemail_mailbox": "{user}@default",
            "voicemail_number": "*97",
            "phone_book": (("200", "Reception"), ("1002", "Ada")),
            "people_endpoints": ("2*",),
        }
    )


@pytest.fixture
async def attendant(app: App) -> UserServices:
    directory = app.user_services.directory
    directory._known_users = lambda: ["1001", "1002"]  # as with sign-in, which would need tokens
    directory.changed()
    return app.user_services


class Page:
    """A page of a user: `told` waits for the next message of a kind."""

    def __init__(self, app: App, user: str) -> None:
        self._app = app
        self._user = user

    async def __aenter__(self) -> "Page":
        self._http = aiohttp.ClientSession()
        self.socket = await self._http.ws_connect(self._app.ws_url)
        await self.send(type="register", user=self._user)
        await self.told("registered")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.close()

    async def send(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def told(self, kind: str, **fields: Any) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                message: dict[str, Any] = await self.socket.receive_json()
                if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                    return message


async def continued(pbx: FakeAri, channel: str) -> dict[str, str]:
    async with asyncio.timeout(10):
        while channel not in pbx.continued:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return pbx.continued[channel]


# --- preferences -----------------------------------------------------------------------


async def test_a_change_is_told_to_all_pages_of_the_user_and_to_no_other(app: App, attendant: UserServices) -> None:
    async with Page(app, "1001") as one, Page(app, "1001") as two, Page(app, "1002") as other:
        assert (await one.told("preferences"))["callWaiting"] is True
        await two.told("preferences")
        await one.send(type="preferences", doNotDisturb=True, forwardBusy="(2)-00")
        for page in (one, two):
            await page.told("preferences", doNotDisturb=True, forwardBusy="200", forwardAlways="")
        assert (await other.told("preferences"))["doNotDisturb"] is False
        await other.send(type="ping", id=7)
        async with asyncio.timeout(10):
            while (message := await other.socket.receive_json())["type"] != "pong":
                assert message["type"] != "preferences"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"forwardAlways": "1001"}, "forwardAlways"),
        ({"forwardBusy": "1&2"}, "forwardBusy"),
        ({"ringSeconds": 4}, "ringSeconds"),
    ],
)
async def test_what_cannot_be_is_refused(app: App, attendant: UserServices, wanted: dict[str, Any], field: str) -> None:
    async with Page(app, "1001") as page:
        await page.send(type="preferences", **wanted)
        error = await page.told("error")
        assert (error["code"], error["field"]) == ("invalid_request", field)


async def test_preferences_need_a_user(app: App, attendant: UserServices) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        await socket.send_json({"type": "preferences"})
        messages = [await socket.receive_json() for _ in range(2)]
        assert messages[-1]["code"] == "unauthorized"


async def test_a_disk_that_fails_is_told_to_who_asked(app: App, attendant: UserServices, settings: Settings) -> None:
    async with Page(app, "1001") as page:
        (settings.state_dir / "preferences.json").mkdir()
        await page.send(type="preferences", doNotDisturb=True)
        error = await page.told("error")
        assert (error["code"], error["retryAfter"]) == ("unavailable", 5.0)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"doNotDisturb": True}, {"ARI_BRIDGE_STATUS": "DND"}),
        ({"forwardAlways": "200"}, FORWARDED),
        ({"forwardAlways": "voicemail"}, {"ARI_BRIDGE_STATUS": "VOICEMAIL"}),
    ],
)
async def test_a_caller_goes_on_in_the_dialplan(
    app: App, attendant: UserServices, pbx: FakeAri, wanted: dict[str, Any], told: dict[str, str]
) -> None:
    async with Page(app, "1001") as page:
        await page.send(type="preferences", **wanted)
        await page.told("preferences", **wanted)
        await pbx.call_in("ast-1", "1001")
        assert await continued(pbx, "ast-1") == told
        await page.send(type="ping", id=1)
        async with asyncio.timeout(10):
            while (message := await page.socket.receive_json())["type"] != "pong":
                assert message["type"] != "incoming-call"


async def test_who_is_away_has_callers_sent_where_they_want(app: App, attendant: UserServices, pbx: FakeAri) -> None:
    async with Page(app, "1001") as page:
        await page.send(type="preferences", forwardUnreachable="200")
        await page.told("preferences", forwardUnreachable="200")
    async with asyncio.timeout(10):
        while app.pages.users():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await pbx.call_in("ast-1", "1001")
    assert await continued(pbx, "ast-1") == FORWARDED


async def test_without_call_waiting_a_second_caller_finds_the_user_busy(
    app: App, attendant: UserServices, pbx: FakeAri
) -> None:
    pbx.far_side = RingsForEver()
    async with Page(app, "1001") as page:
        await page.send(type="preferences", callWaiting=False)
        await page.told("preferences", callWaiting=False)
        await page.send(type="offer", target="600", sdp=OFFER, callId="call")
        await page.told("state", state="ringing")
        await pbx.call_in("ast-1", "1001")
        assert await continued(pbx, "ast-1") == {"ARI_BRIDGE_STATUS": "BUSY"}
        await page.send(type="hangup", callId="call")
        await page.told("state", state="ended")


# --- voicemail ----------------------------------------------------------------------------


async def test_a_page_is_told_of_its_messages_and_others_of_none(
    app: App, attendant: UserServices, pbx: FakeAri
) -> None:
    async with Page(app, "1001") as page, Page(app, "1002") as boxless:
        assert await page.told("voicemail") == {"type": "voicemail", "new": 2, "old": 1, "number": "*97"}
        async with Page(app, "1001") as second:
            assert (await second.told("voicemail"))["new"] == 2
        await boxless.send(type="ping", id=1)
        async with asyncio.timeout(10):
            while (message := await boxless.socket.receive_json())["type"] != "pong":
                assert message["type"] != "voicemail"
        async with asyncio.timeout(10):
            while pbx.channels:  # noqa: ASYNC110  the channel on which the boxes were read
                await asyncio.sleep(0.01)


async def test_when_a_caller_has_gone_the_box_is_read(app: App, attendant: UserServices, pbx: FakeAri) -> None:
    async with Page(app, "1001") as page:
        await page.told("voicemail", new=2)
        await page.send(type="preferences", forwardAlways="voicemail")
        await page.told("preferences", forwardAlways="voicemail")
        pbx.mailboxes["1001@default"] = (3, 1)
        await pbx.call_in("ast-1", "1001")
        await page.told("voicemail", new=3)


@pytest.fixture
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontend.presence.voicemail.POLL_INTERVAL_S", 0.3)


async def test_a_message_of_which_nobody_told_is_found_in_the_next_round(
    quick_rounds: None, app: App, attendant: UserServices, pbx: FakeAri
) -> None:
    async with Page(app, "1001") as page:
        await page.told("voicemail", new=2)
        pbx.mailboxes["1001@default"] = (5, 1)
        await page.told("voicemail", new=5)


async def test_a_pbx_that_reads_no_boxes_harms_nothing(app: App, attendant: UserServices, pbx: FakeAri) -> None:
    pbx.refuse["channels.getChannelVar"] = 500
    async with Page(app, "1001") as page:
        async with asyncio.timeout(10):
            while not pbx.count("channels.hangup"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await page.send(type="ping", id=1)
        await page.told("pong")
    await until(lambda: not pbx.channels, "the end of what was made for a try")


# --- the directory ----------------------------------------------------------------------


async def test_the_directory_has_users_and_phones_and_tells_changes(
    app: App, attendant: UserServices, pbx: FakeAri
) -> None:
    phone = {"number": "200", "name": "Reception", "state": "available"}
    async with Page(app, "1001") as page:
        async with asyncio.timeout(10):
            while phone not in (people := (await page.told("people"))["people"]):
                pass
        assert [one["number"] for one in people] == ["1001", "1002", "200", "201"]
        assert people[1] == {"number": "1002", "name": "Ada", "state": "offline", "user": "1002"}
        assert people[3]["state"] == "offline"
        await pbx.device("PJSIP/200", "RINGING")
        assert (await page.told("people-changed"))["people"] == [{**phone, "state": "ringing"}]
        async with Page(app, "1002") as other:
            assert (await page.told("people-changed"))["people"][0]["state"] == "available"
            await other.send(type="preferences", doNotDisturb=True)
            assert (await page.told("people-changed"))["people"][0]["state"] == "do_not_disturb"
        assert (await page.told("people-changed"))["people"][0]["state"] == "offline"


async def test_the_directory_comes_back_with_the_event_stream(app: App, attendant: UserServices, pbx: FakeAri) -> None:
    async with Page(app, "1001") as page:
        async with asyncio.timeout(10):
            while len((await page.told("people"))["people"]) < 4:
                pass
        pbx.watched.clear()
        pbx.phones["PJSIP/200"] = "offline"
        await pbx.restart()
        assert (await page.told("people-changed"))["people"] == [
            {"number": "200", "name": "Reception", "state": "offline"}
        ]
        assert pbx.watched == {"PJSIP/200", "PJSIP/201"}


async def test_a_directory_is_bounded(app: App, attendant: UserServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontend.presence.directory.MAX_ENTRIES", 3)
    async with Page(app, "1001") as page, Page(app, "1003") as other:
        async with asyncio.timeout(10):
            while len((people := await page.told("people"))["people"]) != 3:
                pass
        assert [one["number"] for one in people["people"]] == ["1001", "1002", "1003"]
        await other.told("people")


# --- HTTP -------------------------------------------------------------------------------


@pytest.mark.parametrize("sign_in", [False, True])
async def test_preferences_and_people_by_http(attendant: UserServices, tmp_path: Path, sign_in: bool) -> None:
    access = an_authenticator(tmp_path / "accounts", {"1001": "secret"}, required=sign_in)
    headers = {"Authorization": f"Bearer {(await access.sign_in('1001', 'secret', '')).token}"} if sign_in else {}
    site = web.Application(middlewares=[middleware.problem_responses])
    site.add_routes(PeopleApi(attendant, access).routes())
    await until(attendant.directory.people, "the directory")
    async with TestServer(site) as server:
        await asked(str(server.make_url("/")), headers)
    await access.accounts.close()


async def asked(url: str, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession(url, headers=headers) as http:
        async with http.put("/me/preferences?user=1001", json={"ringSeconds": 20}) as response:
            assert response.status == 200
            kept = await response.json()
        assert kept["ringSeconds"] == 20 and kept["callWaiting"] is True and kept["forwardBusy"] == ""
        async with http.get("/me/preferences?user=1001") as response:
            assert await response.json() == kept
        for body in (
            b"",
            b"[]",
            b"{",
            b'{"ringSeconds": "long"}',
            b'{"ringSeconds": 1000}',
            b'{"forwardBusy": "1001"}',
        ):
            async with http.put("/me/preferences?user=1001", data=body) as response:
                assert (response.status, (await response.json())["code"]) == (400, "invalid_request")
        async with http.get("/people") as response:
            people = (await response.json())["people"]
        assert {"number": "1002", "name": "Ada", "state": "offline", "user": "1002"} in people
    async with aiohttp.ClientSession(url) as http:
        async with http.get("/me/preferences") as response:
            assert response.status == (401 if headers else 400)
        async with http.get("/people") as response:
            assert response.status == (401 if headers else 200)
