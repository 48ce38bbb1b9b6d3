"""Guests of a page with a public API key who take another name for each call, or somebody else's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.engine import prewarm
from ari_bridge.fsm.call import CallState
from ari_bridge.hooks import HookEvent, UsageAlarm
from frontend.app import App
from frontend.http.connection_table import HolderKind
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import Page, SignIn
from tests.security.test_api_keys import PAGE, made, status
from tests.security.test_client_tokens import guest_of, place, token, with_token

PERMISSIONS = """
default = "national"
[limits.button]
legs_per_minute = 3
minutes_per_day = { national = 0.01 }
[classes]
button = ["include national"]
"""
OUTSIDE = "030 1234567"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, pbx: FakeAri) -> Settings:
    pbx.far_side = Answers()
    file = tmp_path / "dial-permissions.toml"
    file.write_text(PERMISSIONS)
    return settings.model_copy(
        update={
            "country": "DE",
            "dial_permissions_file": file,
            "enable_cdr_logging": True,
            "max_legs_per_minute": 5,
            "max_requests_per_second": 1000.0,
        }
    )


class Guests:
    """Of one key, each with an invented name."""

    def __init__(self, http: aiohttp.ClientSession, key: tuple[str, str]) -> None:
        self.http = http
        self.key = key
        self.made = 0

    async def one(self) -> tuple[str, str]:
        """The name and the token of another one."""
        self.made += 1
        name = guest_of(self.key, f"{self.made:016x}")
        return name, (await token(self.http, self.key, 201, PAGE, user=name))["token"]

    async def call(self, target: str = "600") -> tuple[int, dict[str, Any]]:
        """One more guest calls."""
        _, given = await self.one()
        return await place(self.http, with_token({"token": given}) | {"Origin": PAGE}, target)


async def guests_of(app: App, http: aiohttp.ClientSession, **options: Any) -> Guests:
    return Guests(http, await made(app, "tokens:create", "dial", "receive", origins=[PAGE], **options))


@asynccontextmanager
async def guest_page(app: App) -> AsyncIterator[Page]:
    """A WebSocket in the page of the key."""
    async with aiohttp.ClientSession() as browser, browser.ws_connect(app.ws_url, headers={"Origin": PAGE}) as socket:
        page = Page(socket)
        page.session = (await page.told("welcome"))["session"]
        yield page


# --- many names -----------------------------------------------------------------------------


async def test_guests_on_websockets_stay_strangers_and_share_one_quota(app: App, http: aiohttp.ClientSession) -> None:
    guests = await guests_of(app, http)
    assert app.door
    table = app.door.table
    codes: list[str | None] = []
    async with AsyncExitStack() as pages:
        while len(codes) < 100 and "too_many" not in codes:
            name, given = await guests.one()
            page = await pages.enter_async_context(guest_page(app))
            told = await page.ask("registered", type="register", user=name, token=given)
            codes.append(told.get("code"))
            if told["type"] == "registered" and len(codes) < 4:
                assert (await page.ask("authenticated", type="authenticate", token=given))["type"] == "authenticated"
            assert table.count(HolderKind.USER) == 0, "a guest has the places of a user"
    assert "too_many" in codes, "each invented name has a quota of its own"


async def test_guests_take_few_lines_ahead_of_calls(
    app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prewarm, "MAX_PREPARED_LEGS_OF_GUESTS", 2)
    guests, told = await guests_of(app, http), []
    async with AsyncExitStack() as pages:
        for number in range(3):
            name, given = await guests.one()
            page = await pages.enter_async_context(guest_page(app))
            await page.ask("registered", type="register", user=name, token=given)
            prepared = await page.ask("media-prepared", type="prepare-media", callId=f"call{number}", sdp=OFFER)
            told.append(prepared.get("code", "prepared"))
    assert told == ["prepared", "prepared", "too_many"]


async def test_another_name_is_no_other_limit(app: App, http: aiohttp.ClientSession) -> None:
    told: list[UsageAlarm] = []
    app.hooks.tap(lambda event: told.append(event) if isinstance(event, UsageAlarm) else None)
    guests = await guests_of(app, http)
    answers = [await guests.call() for _ in range(6)]
    assert [answer for answer, _ in answers] == [201] * 5 + [429]
    assert answers[-1][1]["rule"] == "MAX_LEGS_PER_MINUTE"
    alarm = next(one for one in told if one.rule == "MAX_LEGS_PER_MINUTE")
    assert alarm.user == guests.key[0], "an alarm of a guest's name counts that name alone"
    assert (await guests.call("112"))[0] == 201
    others = await guests_of(app, http)
    assert (await others.call())[0] == 201, "another key is limited by this one"


async def test_another_name_is_no_other_limit_of_the_class_of_service(app: App, http: aiohttp.ClientSession) -> None:
    guests = await guests_of(app, http, class_of_service="button")
    answers = [await guests.call() for _ in range(4)]
    assert [answer for answer, _ in answers] == [201] * 3 + [429]
    assert answers[-1][1]["rule"] == "limits.button.legs_per_minute"


async def test_another_name_has_no_other_minutes(app: App, http: aiohttp.ClientSession) -> None:
    guests = await guests_of(app, http, class_of_service="button")
    assert (await guests.call(OUTSIDE))[0] == 201
    await until(lambda: not app.calls.live())  # its minutes are used up
    answer, problem = await guests.call(OUTSIDE)
    assert (answer, problem["rule"]) == (429, "limits.button.minutes_per_day.national")


async def test_calls_at_once_bind_the_token_of_a_key_for_itself(app: App, http: aiohttp.ClientSession) -> None:
    key = await made(app, "tokens:create", "dial", max_calls=1)
    headers = with_token(await token(http, key))
    assert [(await place(http, headers))[0] for _ in range(2)] == [201, 429]
    assert (await place(http, headers, "112"))[0] == 201, "an emergency call is limited"


async def test_emergency_calls_of_guests_are_not_limited(app: App, http: aiohttp.ClientSession) -> None:
    guests = await guests_of(app, http, max_calls=1)
    assert [(await guests.call(target))[0] for target in ("600", "600", "112", "0112")] == [201, 429, 201, 429]
    call = next(one for one in app.calls.live() if one.target == "112")
    await app.accounts.api_keys.revoke(guests.key[0])
    await until(lambda: [one.id for one in app.calls.live()] == [call.id])


# --- the name of another guest ------------------------------------------------------------------


async def test_nobody_reads_the_whole_name_of_a_guest(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, sign_in: SignIn
) -> None:
    events: list[HookEvent] = []
    app.hooks.tap(events.append)
    guests = await guests_of(app, http)
    name, given = await guests.one()
    headers, admin = with_token({"token": given}) | {"Origin": PAGE}, await sign_in("9001")
    async with guest_page(app) as page:
        await page.ask("registered", type="register", user=name, token=given)
        answered, call = await place(http, headers)
        assert answered == 201
        secret = name.rpartition("-")[2]
        await until(lambda: app.calls.get(call["callId"]).state is CallState.UP)
        party = {"target": "700"}
        async with http.post(f"/call/{call['callId']}/parties", json=party, headers=headers) as response:
            assert response.status == 202
        await until(lambda: pbx.count("channels.create") == 2)
        texts = [json.dumps([channel.variables for channel in pbx.channels.values()], default=str)]
        texts.append(json.dumps(pbx.requests, default=str))
        for path in ("/live", "/calls", f"/call/{call['callId']}"):
            texts.append(await read(http, admin, path))
            assert guests.key[0][3:] in texts[-1], path
        async with http.post("/calls/end", json={"user": f"guest-{guests.key[0][3:]}"}, headers=admin) as response:
            assert (await response.json())["calls"] == [call["callId"]]
        await until(lambda: not app.calls.live())
        record = f"/cdrs/{call['callId']}"
        await written(http, headers, record)
        texts += [await read(http, admin, path) for path in (record, "/cdrs", "/cdrs.csv", "/audit")]
    texts.append(json.dumps([event.data() for event in events], default=str))
    assert guests.key[0][3:] in texts[-2]
    for text in texts:
        assert secret not in text, text
    assert secret in await read(http, headers, record), "the guest's own record"


async def written(http: aiohttp.ClientSession, headers: dict[str, str], record: str) -> None:
    """Waits until there is this record."""
    async with asyncio.timeout(10):
        while await status(http, headers, record) != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def read(http: aiohttp.ClientSession, headers: dict[str, str], path: str) -> str:
    async with http.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        return await response.text()
