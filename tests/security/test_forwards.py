"""Forwards to outside: few at once, counted, found again after a restart, and ended by the operator."""

from pathlib import Path

import pytest

from ari_bridge.engine import forwards
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.frontend.test_attendant import Page, continued
from tests.fakes.ari import FakeAri
from tests.security.test_leg_limits import serving

OUTSIDE = "0301234567"


@pytest.fixture
def settings(open_settings: Settings, tmp_path: Path, pbx: FakeAri, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(forwards, "WATCH_INTERVAL_S", 0.05)
    pbx.dialplan_talks = True
    file = tmp_path / "dial-permissions.toml"
    file.write_text('default = "national"')
    return open_settings.model_copy(
        update={"country": "DE", "dial_permissions_file": file, "allow_outside_to_outside": True}
    )


async def forward_to(app: App, number: str) -> None:
    async with Page(app, "1001") as page:
        await page.send(type="preferences", forwardAlways=number)
        await page.told("preferences", forwardAlways=number)


async def status_of(pbx: FakeAri, channel: str) -> str:
    await pbx.call_in(channel, "1001")
    return (await continued(pbx, channel))["ARI_BRIDGE_STATUS"]


async def test_a_hundred_callers_cause_two_calls_outside(app: App, pbx: FakeAri) -> None:
    await forward_to(app, OUTSIDE)
    told = [await status_of(pbx, f"ast-{number}") for number in range(5)]
    assert told == ["FORWARD", "FORWARD", "UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]
    assert int(pbx.continued["ast-0"]["TIMEOUT(absolute)"]) == 3600
    del pbx.channels["ast-0"]
    await until(lambda: len(app.calls.forwards.open()) == 1)
    assert await status_of(pbx, "ast-5") == "FORWARD"


async def test_forwards_inside_are_not_bounded(app: App, pbx: FakeAri) -> None:
    await forward_to(app, "200")
    assert {await status_of(pbx, f"ast-{number}") for number in range(5)} == {"FORWARD"}
    assert "TIMEOUT(absolute)" not in pbx.continued["ast-0"]


async def test_they_count_as_legs_of_the_user(settings: Settings, pbx: FakeAri) -> None:
    async with serving(settings.model_copy(update={"max_legs_per_day": 1})) as app:
        await forward_to(app, OUTSIDE)
        assert [await status_of(pbx, f"ast-{number}") for number in range(2)] == ["FORWARD", "UNAVAILABLE"]


async def test_a_restarted_server_knows_them_and_the_operator_ends_them(settings: Settings, pbx: FakeAri) -> None:
    async with serving(settings) as app:
        await forward_to(app, OUTSIDE)
        for number in range(2):
            await status_of(pbx, f"ast-{number}")
    async with serving(settings) as app:
        assert await status_of(pbx, "ast-2") == "UNAVAILABLE"
        assert (await app.calls.bulk.end_of_user("1002", "test")).forwards == 0
        assert (await app.calls.bulk.end_of_user("1001", "test")).forwards == 2
        assert not {"ast-0", "ast-1"} & pbx.channels.keys()
        await until(lambda: not app.calls.forwards.open())


async def test_minutes_of_a_day_end_them(settings: Settings, pbx: FakeAri) -> None:
    async with serving(settings.model_copy(update={"max_minutes_per_day": (("national", 0.01),)})) as app:
        await forward_to(app, OUTSIDE)
        assert await status_of(pbx, "ast-0") == "FORWARD"
        await until(lambda: "ast-0" not in pbx.channels)
        assert await status_of(pbx, "ast-1") == "UNAVAILABLE"


@pytest.mark.parametrize("number", ["112", "110", "0112"])
async def test_no_caller_is_forwarded_to_an_emergency_service(settings: Settings, pbx: FakeAri, number: str) -> None:
    async with serving(settings.model_copy(update={"outside_line_prefix": "0"})) as app:
        async with Page(app, "1001") as page:
            await page.send(type="preferences", forwardAlways=number)
            refused = await page.told("error", code="forbidden")
            assert refused["rule"] == "calls are not forwarded to emergency numbers"
        assert "emergency" in app.calls.forwards.refusal("1001", number)  # one that was stored by an earlier version
