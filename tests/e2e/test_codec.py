"""The codec of a browser's calls, as its user has chosen: told to the server, and kept."""

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import PAGE_TONE
from tests.e2e.ears import codecs_of
from tests.e2e.softphone import Softphone, softphone
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
OPUS, PCMU = "audio/opus", "audio/PCMU"


async def choose(phone: Softphone, codec: str) -> None:
    await phone.press("Sound and connection")
    choice = phone.page.get_by_role("combobox", name="Codec of the next calls")
    await choice.select_option(codec)
    await phone.page.keyboard.press("Escape")
    await expect(choice).to_be_hidden()


async def codec_of_a_call(phone: Softphone) -> dict[str, str]:
    await phone.call("600")
    await phone.talks()
    await phone.hears(PAGE_TONE)
    codecs = await codecs_of(phone.page)
    await phone.press("Hang up")
    await phone.is_told("The call has ended.")
    return codecs


@pytest.mark.parametrize(("server", "chosen", "wanted"), [("opus", "PCMU (G.711)", PCMU), ("pcmu", "Opus", OPUS)])
async def test_what_the_user_chooses_goes_before_the_server_s_setting(
    site_with: LiveSystemWith, browser: Browser, server: str, chosen: str, wanted: str
) -> None:
    async with site_with(codecs=server) as site, softphone(browser, site) as phone:
        await choose(phone, chosen)
        assert await codec_of_a_call(phone) == {"inbound-rtp": wanted, "outbound-rtp": wanted}
        await phone.page.reload()
        await phone.online()
        assert await codec_of_a_call(phone) == {"inbound-rtp": wanted, "outbound-rtp": wanted}
        await phone.number.press_sequentially("6")  # from here on the call's media stand ready
        await choose(phone, "Automatic")
        usual = {"opus": OPUS, "pcmu": PCMU}[server]
        assert await codec_of_a_call(phone) == {"inbound-rtp": usual, "outbound-rtp": usual}
