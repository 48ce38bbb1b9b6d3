"""A forward that a thief has set costs nothing any more once its user is locked."""

import aiohttp
import pytest

from frontend.app import App
from tests.component.frontend.test_attendant import continued
from tests.fakes.ari import FakeAri
from tests.security.conftest import SignIn


@pytest.mark.parametrize("number", ["200", "voicemail"])
async def test_a_locked_user_forwards_nobody_until_unlocked(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, sign_in: SignIn, number: str
) -> None:
    pbx.dialplan_talks = True
    async with http.put("/me/preferences", json={"forwardAlways": number}, headers=await sign_in("1001")) as response:
        assert response.status == 200

    async def status(channel: str) -> str:
        await pbx.call_in(channel, "1001")
        return (await continued(pbx, channel))["ARI_BRIDGE_STATUS"]

    forwarded = "FORWARD" if number == "200" else "VOICEMAIL"
    assert await status("before") == forwarded
    await app.accounts.set_locked("1001", True)
    assert await status("locked") == ("UNAVAILABLE" if number == "200" else "VOICEMAIL")  # which costs nothing
    await app.accounts.set_locked("1001", False)
    assert await status("after") == forwarded


async def test_who_may_not_dial_forwards_nobody(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, sign_in: SignIn
) -> None:
    pbx.dialplan_talks = True
    forward = {"forwardAlways": "200"}
    async with http.put("/me/preferences", json=forward, headers=await sign_in("2003")) as response:  # an auditor
        assert (response.status, (await response.json())["code"]) == (403, "forbidden")
    only_voicemail = {"forwardNoAnswer": "voicemail"}
    async with http.put("/me/preferences", json=only_voicemail, headers=await sign_in("2003")) as response:
        assert response.status == 200
    async with http.put("/me/preferences", json=forward, headers=await sign_in("1001")) as response:
        assert response.status == 200
    await app.accounts.set_roles("1001", ["auditor"])
    await pbx.call_in("later", "1001")
    assert (await continued(pbx, "later"))["ARI_BRIDGE_STATUS"] == "UNAVAILABLE"
