"""A call is recorded by a press, and heard and saved from the list of last calls; by its user alone."""

import wave
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from playwright.async_api import Browser, expect

from ari_bridge_client.audio import find_tones
from tests.e2e.accounts import PASSWORD, accounts, signed_in
from tests.e2e.conftest import PAGE_TONE
from tests.e2e.sides import CALLEE_TONE, TONES, callee
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
RECORDED_SECONDS = 2.0


async def status_for(site: LiveSystem, user: str, name: str) -> int:
    """Of the recording's sound, as the HTTP API answers this user."""
    async with aiohttp.ClientSession(site.app.url) as http:
        async with http.post("/session", json={"user": user, "password": PASSWORD}) as response:
            token = (await response.json())["token"]
        async with http.get(f"/recordings/{name}/audio", headers={"Authorization": f"Bearer {token}"}) as response:
            return response.status


@both_versions
async def test_a_call_is_recorded_played_saved_and_kept_from_others(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with (
        site_with(**accounts(tmp_path, "1001", "1002")) as site,
        signed_in(browser, site, "1001") as phone,
        callee(site.pbx, tmp_path) as other,
    ):
        await phone.call("7012")
        await phone.hears(CALLEE_TONE)
        await phone.press("Record")
        await expect(phone.page.get_by_test_id("recording")).to_have_text("Recording")
        await other.hears(PAGE_TONE)
        await phone.page.wait_for_timeout(RECORDED_SECONDS * 1000)
        await phone.press("Hang up")
        await other.sipp.done()

        await phone.press("Recordings: 7012")
        opened = phone.page.get_by_role("dialog", name="Recordings: 7012")
        await opened.get_by_role("button", name="Play").click()
        player = opened.locator("audio")
        await expect(player).to_have_js_property("paused", False)
        seconds = await player.evaluate("audio => audio.duration")
        assert RECORDED_SECONDS - 0.5 < seconds < RECORDED_SECONDS + 15
        async with phone.page.expect_download() as downloading:
            await opened.get_by_role("link", name="Save").click()
        saved = await (await downloading.value).path()
        with wave.open(str(saved)) as file:
            samples, rate = np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
        assert find_tones(samples[-rate // 2 :], TONES, rate) == {PAGE_TONE, CALLEE_TONE}
        name = (await downloading.value).suggested_filename.removesuffix(".wav")
        assert await status_for(site, "1001", name) == 200
        assert await status_for(site, "1002", name) == 404


async def test_the_other_user_of_a_recorded_call_has_no_recording(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with (
        site_with(**accounts(tmp_path, "1001", "1002")) as site,
        signed_in(browser, site, "1001") as phone,
        signed_in(browser, site, "1002") as other,
    ):
        await phone.call("1002")
        await other.rings("1001")
        await other.answer()
        await phone.hears(PAGE_TONE)
        await phone.press("Record")
        await expect(phone.page.get_by_test_id("recording")).to_have_text("Recording")
        await phone.page.wait_for_timeout(1000)
        await phone.press("Hang up")
        await expect(phone.button("Recordings: 1002")).to_be_visible(timeout=15_000)
        await other.page.reload()
        await other.online()
        await expect(other.recent).to_contain_text("1001")
        await other.page.wait_for_load_state("networkidle")
        await expect(other.page.get_by_role("button", name="Recordings:")).to_be_hidden()
