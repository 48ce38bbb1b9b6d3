"""Ways round the limits of calls: leaving, transferring, calling for ever, calling all day."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from ari_bridge.hooks import HookEvent, UsageAlarm
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.frontend.test_attendant import Page
from tests.fakes.ari import Answers, FakeAri, RingsForEver
from tests.offers import OFFER
from tests.real.journals import remove_journal


@pytest.fixture
def settings(open_settings: Settings, tmp_path: Any) -> Settings:
    file = tmp_path / "dial-permissions.toml"
    file.write_text('default = "national"')
    return open_settings.model_copy(
        update={"country": "DE", "dial_permissions_file": file, "max_legs_per_user": 6, "max_legs_per_minute": 20}
    )


@pytest.fixture
def answering(pbx: FakeAri) -> FakeAri:
    pbx.far_side = Answers()
    return pbx


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[App]:
    """A server of these settings, for one life."""
    app = App(settings)
    await app.start()
    try:
        await until(lambda: app.ari.connected)
        yield app
    finally:
        await app.close()
        remove_journal(settings.state_dir)


async def call_of_three(page: Page, call: str, first: str, second: str) -> None:
    await page.send(type="offer", callId=call, target=first, sdp=OFFER)
    await page.told("state", callId=call, state="accepted")
    await page.send(type="add-party", callId=call, target=second)
    await page.told("party", callId=call, state="accepted")


async def test_leaving_does_not_get_round_the_limit(app: App, answering: FakeAri) -> None:
    async with Page(app, "1001") as page:
        for number in range(3):
            await call_of_three(page, f"call{number}", "600", "602")
            await page.send(type="leave", callId=f"call{number}")
            await page.told("state", callId=f"call{number}", state="ended")
        await page.send(type="offer", callId="more", target="600", sdp=OFFER)
        error = await page.told("error")
        assert (error["code"], error["rule"]) == ("too_many", "MAX_LEGS_PER_USER")
        await page.send(type="offer", callId="help", target="112", sdp=OFFER)
        await page.told("state", callId="help")


async def test_numbers_a_minute_are_bounded(app: App, answering: FakeAri) -> None:
    async with Page(app, "1001") as page:
        for number in range(21):
            await page.send(type="offer", callId=f"call{number}", target="600", sdp=OFFER)
            if number == 20:
                break
            await page.told("state", callId=f"call{number}", state="accepted")
            await page.send(type="hangup", callId=f"call{number}")
            await page.told("state", callId=f"call{number}", state="ended")
        error = await page.told("error")
        assert (error["code"], error["rule"]) == ("too_many", "MAX_LEGS_PER_MINUTE") and error["retryAfter"] <= 60


async def call_and_hang_up(page: Page, call: str, target: str) -> dict[str, Any]:
    """What comes of it: the call's end, or why it is refused."""
    await page.send(type="offer", callId=call, target=target, sdp=OFFER)
    said: dict[str, Any] = {}
    while said.get("type") != "error" and (said.get("type"), said.get("callId")) != ("state", call):
        said = await page.socket.receive_json(timeout=10)
    if said["type"] == "error":
        return said
    await page.send(type="hangup", callId=call)
    return await page.told("state", callId=call, state="ended")


async def test_numbers_a_day_are_bounded_also_those_that_fail_and_after_a_restart(
    settings: Settings, pbx: FakeAri
) -> None:
    pbx.far_side = RingsForEver()
    bounded = settings.model_copy(update={"max_legs_per_day": 5})
    for start in (0, 3, 6):
        async with serving(bounded) as app, Page(app, "1001") as page:
            for number in range(start, min(start + 3, 5)):
                assert (await call_and_hang_up(page, f"call{number}", "600"))["type"] == "state"
            if start < 3:
                continue
            error = await call_and_hang_up(page, f"more{start}", "600")
            assert (error["code"], error["rule"]) == ("too_many", "MAX_LEGS_PER_DAY")
            assert error["retryAfter"] <= 86400
            assert (await call_and_hang_up(page, f"help{start}", "112"))["type"] == "state"


async def test_the_minute_outlives_a_restart(settings: Settings, pbx: FakeAri) -> None:
    bounded = settings.model_copy(update={"max_legs_per_minute": 2})
    async with serving(bounded) as app, Page(app, "1001") as page:
        for number in range(2):
            await call_and_hang_up(page, f"call{number}", "600")
    async with serving(bounded) as app, Page(app, "1001") as page:
        assert (await call_and_hang_up(page, "more", "600"))["rule"] == "MAX_LEGS_PER_MINUTE"


@pytest.mark.parametrize("limit", ["max_legs", "max_legs_per_tenant"])
async def test_all_users_together_are_bounded(settings: Settings, answering: FakeAri, limit: str) -> None:
    async with (
        serving(settings.model_copy(update={limit: 3})) as app,
        Page(app, "1001") as one,
        Page(app, "1002") as two,
    ):
        await call_of_three(one, "call", "600", "602")
        await two.send(type="offer", callId="other", target="600", sdp=OFFER)
        await two.told("state", callId="other", state="accepted")
        await two.send(type="add-party", callId="other", target="602")
        assert (await two.told("error"))["rule"] == limit.upper()


async def test_a_class_of_service_has_limits_of_its_own(settings: Settings, answering: FakeAri) -> None:
    assert settings.dial_permissions_file
    settings.dial_permissions_file.write_text('default = "national"\n[limits.national]\nlegs = 1\n')
    async with serving(settings) as app, Page(app, "1001") as page:
        await page.send(type="offer", callId="call", target="600", sdp=OFFER)
        await page.told("state", callId="call", state="accepted")
        await page.send(type="add-party", callId="call", target="602")
        assert (await page.told("error"))["rule"] == "limits.national.legs"


async def test_minutes_of_a_day_end_the_call_and_refuse_the_next_one(settings: Settings, answering: FakeAri) -> None:
    bounded = settings.model_copy(update={"max_minutes_per_day": (("national", 0.01),)})
    async with serving(bounded) as app, Page(app, "1001") as page:
        await page.send(type="offer", callId="call", target="030 1234567", sdp=OFFER)
        await page.told("state", callId="call", state="accepted")
        await page.told("state", callId="call", state="ended")
        error = await call_and_hang_up(page, "more", "089 1234567")
        assert (error["code"], error["rule"]) == ("too_many", "MAX_MINUTES_PER_DAY national")
        assert (await call_and_hang_up(page, "inside", "600"))["type"] == "state"
    async with serving(bounded) as app, Page(app, "1001") as page:
        assert (await call_and_hang_up(page, "after", "089 1234567"))["rule"] == "MAX_MINUTES_PER_DAY national"


async def test_minutes_of_a_transferred_call_count(settings: Settings, answering: FakeAri) -> None:
    bounded = settings.model_copy(update={"max_minutes_per_day": (("national", 0.02),)})
    async with serving(bounded) as app, Page(app, "1001") as page:
        for call, target in (("one", "600"), ("two", "030 1234567")):
            await page.send(type="offer", callId=call, target=target, sdp=OFFER)
            await page.told("state", callId=call, state="accepted")
        await page.send(type="transfer", callId="one", toCallId="two")
        await page.told("state", callId="one", state="ended")
        await until(lambda: not answering.channels)
        assert (await call_and_hang_up(page, "more", "089 1234567"))["rule"] == "MAX_MINUTES_PER_DAY national"


@pytest.mark.parametrize(
    "message", [{"type": "leave"}, {"type": "transfer", "target": "089 1234567"}], ids=["leave", "transfer"]
)
async def test_parties_outside_are_not_left_talking(app: App, answering: FakeAri, message: dict[str, str]) -> None:
    async with Page(app, "1001") as page:
        if message["type"] == "leave":
            await call_of_three(page, "call", "030 1234567", "089 1234567")
        else:
            await page.send(type="offer", callId="call", target="030 1234567", sdp=OFFER)
            await page.told("state", callId="call", state="accepted")
        await page.send(callId="call", **message)
        error = await page.told("error")
        assert (error["code"], error["rule"]) == ("forbidden", "ALLOW_OUTSIDE_TO_OUTSIDE is false")


async def test_a_page_that_vanishes_leaves_nobody_outside_talking(app: App, answering: FakeAri) -> None:
    async with Page(app, "1001") as page:
        await call_of_three(page, "call", "030 1234567", "089 1234567")
    await until(lambda: not answering.channels)


async def test_no_call_lasts_for_ever(app: App, answering: FakeAri) -> None:
    object.__setattr__(app.calls._leg_limits._limits, "max_call_seconds", 0.5)
    async with Page(app, "1001") as page:
        await page.send(type="offer", callId="call", target="600", sdp=OFFER)
        await page.told("state", callId="call", state="accepted")
        await page.told("state", callId="call", state="ended")
    await until(lambda: not answering.channels)


async def test_a_call_that_was_left_ends_by_itself(app: App, answering: FakeAri) -> None:
    object.__setattr__(app.calls._leg_limits._limits, "max_left_call_seconds", 0.5)
    async with Page(app, "1001") as page:
        await call_of_three(page, "call", "600", "602")
        await page.send(type="leave", callId="call")
        await page.told("state", callId="call", state="ended")
        await until(lambda: not answering.channels)


async def test_an_alarm_comes_before_the_limit(settings: Settings, answering: FakeAri) -> None:
    async with (
        serving(settings.model_copy(update={"max_legs_per_day": 5})) as app,
        Page(app, "1001") as page,
        aiohttp.ClientSession(app.url) as http,
        http.get("/events") as stream,
    ):
        told: list[HookEvent] = []
        app.hooks.tap(lambda event: told.append(event) if isinstance(event, UsageAlarm) else None)
        for number in range(5):
            await call_and_hang_up(page, f"call{number}", "600")
        assert [(alarm.data()["rule"], alarm.data()["used"]) for alarm in told] == [("MAX_LEGS_PER_DAY", 4)]
        async with asyncio.timeout(10):
            while b"event: usage.alarm" not in await stream.content.readline():
                pass
