"""Ways round the limits of calls: leaving, transferring, calling for ever, calling all day."""

from typing import Any

import pytest

from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.frontend.test_attendant import Page
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER


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
        assert error["code"] == "too_many" and "MAX_LEGS_PER_USER" in error["message"]
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
        assert error["code"] == "too_many" and "MAX_LEGS_PER_MINUTE" in error["message"]


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
