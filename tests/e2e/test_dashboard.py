"""The dashboard: a live call with its channels, its bridge and its story, as it stands and as it ends."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.softphone import Watch, softphone
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_a_live_call_is_followed_from_its_start_to_its_end(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        board = await phone.page.context.new_page()
        watch = Watch(board)
        await board.goto(f"{site.app.url}/dashboard")
        await expect(board.get_by_role("status")).to_have_text("Connected")
        calls, channels, bridges, events = (
            board.get_by_role("list", name=name)
            for name in ("Live calls", "Live channels", "Live bridges", "Events, the newest first")
        )
        await expect(calls).to_contain_text("Nobody is on a call.")

        await phone.call("601")
        await phone.talks()
        call = calls.get_by_role("listitem")
        await expect(call).to_contain_text("1001 → 601")
        await expect(call).to_contain_text("accepted")
        await expect(channels.get_by_role("listitem").filter(has_text="UnicastRTP/")).to_have_count(1)
        await expect(channels.get_by_role("listitem").filter(has_text="Local/601@from-browser")).not_to_have_count(0)
        await expect(bridges.get_by_role("listitem")).to_contain_text("2 channels")
        await expect(events).to_contain_text("StasisStart")

        [live] = site.app.calls.live()
        await call.get_by_role("button", name=live.id).click()
        await expect(board).to_have_url(re.compile(rf"\?filter={live.id}$"))
        await expect(events).to_contain_text("call.started")

        await phone.press("Hang up")
        await expect(calls).to_contain_text("Nobody is on a call.")
        await expect(channels).to_contain_text("No channel.")
        await expect(bridges).to_contain_text("No bridge.")
        ended = events.get_by_role("listitem").filter(has_text="call.ended")
        await expect(ended).to_contain_text("completed")
        await ended.get_by_role("button", name="call.ended: show all of it").click()
        await expect(board.locator("pre")).to_contain_text('"outcome": "completed"')
        watch.require_none()


async def test_a_filter_in_the_address_narrows_the_events(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("604")
        await phone.is_told("604 is on another call.")
        await phone.page.goto(f"{site.app.url}/dashboard?filter=call.ended")
        events = phone.page.get_by_role("list", name="Events, the newest first")
        await expect(events.get_by_role("listitem")).to_have_count(1)
        await expect(events).to_contain_text("1001 → 604 · busy")
        await phone.page.get_by_role("button", name="Clear the filter").click()
        await expect(events).to_contain_text("StasisStart")
        await phone.page.keyboard.press("p")
        await expect(phone.page.get_by_role("button", name="Go on")).to_be_visible()


async def test_an_operator_ends_a_call_and_stops_all_outgoing_ones(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    permissions = tmp_path / "dial-permissions.toml"
    permissions.write_text('default = "all"\n[classes]\nall = ["allow any"]\n')
    async with (
        site_with(country="DE", dial_permissions_file=permissions) as site,
        softphone(browser, site) as phone,
    ):
        board = await phone.page.context.new_page()
        await board.goto(f"{site.app.url}/dashboard")
        calls = board.get_by_role("list", name="Live calls")
        await phone.call("601")
        await phone.talks()
        await calls.get_by_role("button", name="End this call").click()
        await calls.get_by_role("button", name="End it").click()
        await expect(calls).to_contain_text("Nobody is on a call.")

        await board.get_by_role("button", name="Stop outgoing calls").click()
        await board.get_by_role("button", name="Cancel").click()
        assert site.app.switch.stop is None
        await board.get_by_role("button", name="Stop outgoing calls").click()
        await board.get_by_role("button", name="Stop them").click()
        await expect(board.get_by_role("alert")).to_contain_text("Outgoing calls are stopped by")
        assert site.app.switch.stop
        await phone.page.reload()
        await phone.call("0301234567")
        await phone.is_told("Outgoing calls are stopped for now.")
        await board.get_by_role("button", name="Allow outgoing calls").click()
        await expect(board.get_by_role("button", name="Stop outgoing calls")).to_be_visible()
        assert site.app.switch.stop is None
