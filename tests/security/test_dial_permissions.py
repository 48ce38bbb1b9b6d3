"""Numbers that a stolen sign-in would dial for money: refused on every way, and Asterisk is asked for nothing."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge_protocol.preferences import CallPreferences
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.frontend.test_attendant import Page, continued
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER

COSTLY = ["+8821612345678", "0900 5 123456", "00 1 900 555 0100", "+1 876 555 1234", "030 1234567"]
SPECIAL = ["*72", "h", "s", "i", "t", "failed", "fax", "_7XXX", "_X.", "555200*"]


@pytest.fixture
def settings(open_settings: Settings, tmp_path: Path) -> Settings:
    file = tmp_path / "dial-permissions.toml"
    file.write_text('[users]\n1002 = "national"\n')
    return open_settings.model_copy(update={"country": "DE", "dial_permissions_file": file})


@pytest.fixture
async def talking(app: App, pbx: FakeAri) -> Any:
    """A page of 1001 in a call with 600."""
    pbx.far_side = Answers()
    async with Page(app, "1001") as page:
        await page.send(type="offer", callId="call", target="600", sdp=OFFER)
        await page.told("state", state="accepted")
        yield page


@pytest.mark.parametrize("number", COSTLY + SPECIAL)
async def test_a_call_is_refused(app: App, http: aiohttp.ClientSession, pbx: FakeAri, number: str) -> None:
    async with Page(app, "1001") as page:
        await page.send(type="offer", callId="call", target=number, sdp=OFFER)
        error = await page.told("error")
    assert (error["code"], error["field"], error["callId"]) == ("forbidden", "target", "call")
    async with http.post("/invite", json={"target": number, "sdp": OFFER}) as response:
        problem = await response.json()
    assert (response.status, problem["code"], problem["field"]) == (403, "forbidden", "target")
    assert error["rule"] == problem["rule"] and error["rule"] in problem["detail"]
    assert pbx.count("channels.create") == 0


@pytest.mark.parametrize("number", ["+8821612345678", "0301234567", "*72", "h", "_7XXX"])
@pytest.mark.parametrize("kind", ["transfer", "add-party"])
async def test_a_transfer_and_a_party_are_refused(talking: Page, pbx: FakeAri, kind: str, number: str) -> None:
    before = pbx.count("channels.create")
    await talking.send(type=kind, callId="call", target=number)
    assert (await talking.told("error"))["code"] == "forbidden"
    assert pbx.count("channels.create") == before


@pytest.mark.parametrize("number", ["+8821612345678", "0301234567", "*72", "h", "_7XXX"])
async def test_a_forward_is_refused_when_it_is_set(app: App, number: str) -> None:
    async with Page(app, "1001") as page:
        await page.send(type="preferences", forwardAlways=number)
        assert (await page.told("error"))["code"] == "forbidden"
    assert app.user_services.preferences("1001") == CallPreferences()


async def test_a_forward_is_refused_when_it_is_used(app: App, pbx: FakeAri) -> None:
    """The user could dial it when it was set, or somebody has edited the file."""
    await app.user_services._preferences.change("1001", CallPreferences(forward_always="+8821612345678"))
    await pbx.call_in("ast-1", "1001")
    assert await continued(pbx, "ast-1") == {"ARI_BRIDGE_STATUS": "UNAVAILABLE"}


async def test_a_call_is_joined_only_if_its_number_may_be_dialled_now(
    app: App, pbx: FakeAri, settings: Settings
) -> None:
    assert settings.dial_permissions_file
    pbx.far_side = Answers()
    async with Page(app, "1002") as page:
        for call, target in (("call", "600"), ("other", "0301234567")):
            await page.send(type="offer", callId=call, target=target, sdp=OFFER)
            await page.told("state", state="accepted", callId=call)
        settings.dial_permissions_file.write_text("")
        for kind, field in (("transfer", "toCallId"), ("add-party", "fromCallId")):
            await page.send(type=kind, callId="call", **{field: "other"})
            assert (await page.told("error"))["code"] == "forbidden"


async def test_a_class_of_service_that_allows_it_lets_it_through(app: App, pbx: FakeAri) -> None:
    async with Page(app, "1002") as page:
        await page.send(type="offer", callId="call", target="030 1234567", sdp=OFFER)
        await page.told("state", callId="call")
        await until(lambda: "call-far" in pbx.channels)
        assert pbx.channels["call-far"].variables["__ARI_BRIDGE_ON_BEHALF_OF"] == "1002"
        await page.send(type="offer", callId="more", target="0900 5 123456", sdp=OFFER)
        assert (await page.told("error"))["rule"] == "national: no rule allows premium"


async def test_emergency_numbers_are_always_put_through(app: App, pbx: FakeAri) -> None:
    async with Page(app, "1001") as page:
        for number in ("110", "112"):
            await page.send(type="offer", callId=f"c{number}", target=number, sdp=OFFER)
            await page.told("state", callId=f"c{number}")
        await until(lambda: {"c110-far", "c112-far"} <= pbx.channels.keys())


@pytest.mark.parametrize(("kind", "told"), [("transfer", "transfer"), ("add-party", "party")])
async def test_every_leg_says_on_whose_behalf_it_is(talking: Page, pbx: FakeAri, kind: str, told: str) -> None:
    await talking.send(type=kind, callId="call", target="601")
    await until(lambda: "call-far2" in pbx.channels)
    variables = pbx.channels["call-far2"].variables
    assert (variables["__ARI_BRIDGE_ON_BEHALF_OF"], variables["__ARI_BRIDGE_KIND"]) == ("1001", told)
    assert "ARI_BRIDGE_USER" not in variables  # which opens voicemail


async def test_a_forward_to_outside_needs_more_than_a_class_of_service(app: App) -> None:
    async with Page(app, "1002") as page:
        await page.send(type="preferences", forwardBusy="030 1234567")
        assert (await page.told("error"))["rule"] == "ALLOW_OUTSIDE_TO_OUTSIDE is false"
    app.gate._outside_to_outside = True
    async with Page(app, "1002") as page:
        await page.send(type="preferences", forwardBusy="030 1234567")
        await page.told("preferences", forwardBusy="0301234567")
