"""Emergency calls that a limit refuses, or ends while they go on."""

from pathlib import Path
from typing import Any

import pytest

from ari_bridge.engine import emergency_calls
from ari_bridge.ids import leg_id
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.frontend.test_attendant import Page
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.test_leg_limits import serving


@pytest.fixture
def settings(open_settings: Settings, tmp_path: Path, pbx: FakeAri) -> Settings:
    pbx.far_side = Answers()
    file = tmp_path / "dial-permissions.toml"
    file.write_text('default = "national"')
    return open_settings.model_copy(update={"country": "DE", "dial_permissions_file": file})


async def call(page: Page, call_id: str, target: str) -> dict[str, Any]:
    """Until it is accepted; or why it is refused."""
    await page.send(type="offer", callId=call_id, target=target, sdp=OFFER)
    while True:
        said: dict[str, Any] = await page.socket.receive_json(timeout=10)
        if said["type"] == "error" or (said["type"], said.get("state")) == ("state", "accepted"):
            return said


async def test_all_lines_in_use_refuse_no_emergency_call(app: App) -> None:
    object.__setattr__(app.calls._limits, "max_calls", 1)
    async with Page(app, "1001") as page:
        assert (await call(page, "one", "600"))["type"] == "state"
        assert (await call(page, "two", "600"))["rule"] == "MAX_CALLS"
        assert (await call(page, "help", "112"))["type"] == "state"


async def test_asterisk_does_not_end_an_emergency_call_while_a_server_runs(
    settings: Settings, pbx: FakeAri, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emergency_calls, "PROLONG_INTERVAL_S", 0.02)
    async with serving(settings) as app, Page(app, "1001") as page:
        await call(page, "other", "600")
        await call(page, "help", "112")
        await page.send(type="add-party", callId="help", target="600")
        await page.told("party", callId="help", state="accepted")
        party = app.calls.get("help").parties[0].channel
        limit = f"SET(TIMEOUT(absolute)={app.ari.channels.longest_s})"

        def prolonged() -> set[str]:
            asked = [asked for name, asked in pbx.requests if name == "channels.getChannelVar"]
            return {one["channelId"] for one in asked if one["variable"] == limit}

        await until(lambda: prolonged() == {leg_id("help", 1), "help-far", party})


@pytest.mark.parametrize("limit", ["duration", "minutes"])
async def test_no_limit_ends_a_call_with_an_emergency_service(app: App, limit: str) -> None:
    async with Page(app, "1001") as page:
        for name, first, second in (("help", "112", "030 1234567"), ("other", "030 1234567", "600")):
            assert (await call(page, name, first))["type"] == "state"
            await page.send(type="add-party", callId=name, target=second)
            await page.told("party", callId=name, state="accepted")
        limits = app.calls._leg_limits._limits
        if limit == "duration":
            object.__setattr__(limits, "max_call_seconds", 0.01)
        else:
            object.__setattr__(limits, "max_minutes_per_day", {"national": 0.0})
        await until(lambda: [one.id for one in app.calls.live()] == ["help"])  # both were looked at together
        await page.send(type="hangup", callId="help")
        await until(lambda: not app.calls.live())
