"""What a user sets at their name is what happens with calls: not disturbed, forwarded, rung for so long."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.demo.rtpengine import Rtpengine
from tests.e2e.sides import callee, caller, killable, others_talk
from tests.e2e.softphone import Softphone, softphone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import Pbx, both_versions
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0


async def undisturbed(phone: Softphone, on: bool) -> None:
    preferences = await phone.opens_preferences()
    await preferences.get_by_role("switch", name="Do not disturb").set_checked(on)
    await phone.page.keyboard.press("Escape")
    await phone.sees_link("Do not disturb" if on else "Online")


async def forward(phone: Softphone, when: str, number: str) -> None:
    """`when`: the words beside the choice."""
    preferences = await phone.opens_preferences()
    await preferences.get_by_role("combobox", name=f"{when}: forward to").select_option("Number")
    field = preferences.get_by_role("textbox", name=f"{when}: Number")
    await field.fill(number)
    await field.press("Enter")
    await phone.page.keyboard.press("Escape")


async def rings_nobody(phone: Softphone, pbx: Pbx, folder: Path) -> None:
    """A caller is told that the user is busy, and no page has rung."""
    async with Sipp("caller_is_refused", folder, to=pbx.sip_port) as desk:
        await desk.done()
        assert "SIP/2.0 486" in desk.messages and "180 Ringing" not in desk.messages
    await phone.is_free()
    await expect(phone.page.get_by_role("button", name="Call Desk phone, missed")).to_be_visible()  # in Recent


@both_versions
async def test_who_is_not_to_be_disturbed_is_not_rung(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, softphone(browser, site) as second:
        await undisturbed(phone, True)
        await second.sees_link("Do not disturb")
        await rings_nobody(phone, site.pbx, tmp_path)
        async with softphone(browser, site, "1002") as other:
            await other.call("1001")
            await other.is_told("1001 is on another call.")
            people = other.page.get_by_role("list", name="People")
            await expect(people.get_by_role("button", name="1001")).to_contain_text("Do not disturb")
        await phone.page.reload()
        await phone.sees_link("Do not disturb")
        await undisturbed(phone, False)
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as desk:
            await phone.rings("Desk phone")
            await phone.press("Decline")
            await desk.done()


async def test_it_outlives_a_kill_of_the_server(
    pbx: Pbx, rtpengine: Rtpengine, browser: Browser, tmp_path: Path
) -> None:
    async with killable(pbx, rtpengine, browser, tmp_path) as (server, phone):
        await undisturbed(phone, True)
        await server.kill()
        await phone.sees_link("Offline")
        await server.start()
        await phone.sees_link("Do not disturb")
        await rings_nobody(phone, pbx, tmp_path)


@both_versions
async def test_every_call_is_forwarded(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        await forward(phone, "Always", "7012")
        await phone.sees_link("Forwarded")
        async with callee(site.pbx, tmp_path, "phone_hangs_up") as other, caller(site.pbx, tmp_path) as desk:
            await desk.speaks_first()
            await others_talk(desk, other)
        await expect(phone.page.get_by_role("button", name="Call Desk phone, now")).to_be_visible()  # and not missed


@both_versions
async def test_who_is_in_a_call_has_others_forwarded(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        preferences = await phone.opens_preferences()
        await preferences.get_by_role("switch", name="Ring while I am in a call").set_checked(False)
        await phone.page.keyboard.press("Escape")
        await forward(phone, "While I am in a call", "7012")
        await phone.call("601")
        await phone.hears(MILLIWATT)
        async with callee(site.pbx, tmp_path, "phone_hangs_up") as other, caller(site.pbx, tmp_path) as desk:
            await desk.speaks_first()
            await others_talk(desk, other)
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")


@both_versions
async def test_who_does_not_answer_has_the_call_forwarded(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(ring_timeout=2) as site, softphone(browser, site) as phone:
        await forward(phone, "When I do not answer", "7012")
        await phone.online()
        async with callee(site.pbx, tmp_path, "phone_hangs_up") as other, caller(site.pbx, tmp_path) as desk:
            await phone.rings("Desk phone")
            await desk.speaks_first()
            await others_talk(desk, other)
        await phone.is_told("You missed a call from Desk phone.")


@both_versions
async def test_a_closed_page_s_calls_are_forwarded(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        await forward(phone, "When this page is closed", "7012")
        await phone.online()
        await phone.press("Sign out")
        await expect(phone.button("Start")).to_be_visible()
    async with callee(site.pbx, tmp_path, "phone_hangs_up") as other, caller(site.pbx, tmp_path) as desk:
        await desk.speaks_first()
        await others_talk(desk, other)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("1001", "Calls cannot be forwarded to the one who is called."),
        ("no number!", "dial"),
    ],
    ids=["to-oneself", "no-number"],
)
async def test_a_forward_that_cannot_be_is_refused_at_its_field(
    site: LiveSystem, browser: Browser, number: str, why: str
) -> None:
    async with softphone(browser, site) as phone:
        preferences = await phone.opens_preferences()
        await preferences.get_by_role("combobox", name="Always: forward to").select_option("Number")
        group = preferences.get_by_role("group", name="Always")
        field = group.get_by_role("textbox")
        await field.press_sequentially(number)
        await field.press("Enter")
        await expect(group.get_by_role("alert")).to_contain_text(why)
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_have_value(number)
        await phone.online()
        await field.fill("7012")
        await field.press("Enter")
        await expect(group.get_by_role("alert")).to_be_hidden()
        await phone.sees_link("Forwarded")
