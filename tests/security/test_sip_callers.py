"""What calls in by the SIP edge: who may is looked up at that moment, also while the edge remembers credentials."""

from collections.abc import Awaitable, Callable

import pytest

from ari_bridge.accounts import Accounts
from ari_bridge.fsm.call import CallState
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.engine.test_near import CLIENT
from tests.fakes.ari import Answers, FakeAri

FORBIDDEN = 21  # Q.850: chan_pjsip responds 403
GOES: dict[str, Callable[[Accounts], Awaitable[object]]] = {
    "locked": lambda accounts: accounts.set_locked("1001", True),
    "removed": lambda accounts: accounts.remove("1001"),
    "renamed": lambda accounts: accounts.rename("1001", "1009"),
    "without the right to dial": lambda accounts: accounts.set_roles("1001", ["auditor"]),
}


async def call(pbx: FakeAri, user: str, number: str = "600") -> None:
    await pbx.call_in(CLIENT, number, args=["sip", number, user])


async def is_up(app: App) -> None:
    await until(lambda: [one.state for one in app.calls.live()] == [CallState.UP])


async def is_refused(app: App, pbx: FakeAri) -> None:
    await until(lambda: CLIENT not in pbx.channels)
    assert pbx.count("channels.create") == 0 and not app.calls.live()
    [asked] = [asked for name, asked in pbx.requests if name == "channels.hangup"]
    assert int(asked["reason_code"]) == FORBIDDEN


async def test_a_user_calls(app: App, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    await call(pbx, "1001")
    await is_up(app)


async def test_a_user_who_never_was_is_refused(app: App, pbx: FakeAri) -> None:
    await call(pbx, "1005")
    await is_refused(app, pbx)


@pytest.mark.parametrize("how", GOES)
async def test_a_user_whose_right_has_ended_is_refused(app: App, pbx: FakeAri, how: str) -> None:
    await GOES[how](app.accounts)
    await call(pbx, "1001")
    await is_refused(app, pbx)


@pytest.mark.parametrize("how", ["locked", "removed"])
async def test_a_call_that_is_up_ends_with_its_user(app: App, pbx: FakeAri, how: str) -> None:
    pbx.far_side = Answers()
    await call(pbx, "1001")
    await is_up(app)
    await GOES[how](app.accounts)
    await until(lambda: not pbx.channels and not app.calls.live())


@pytest.mark.parametrize("user", ["1001", "1005"])
async def test_an_emergency_call_is_never_refused(app: App, pbx: FakeAri, user: str) -> None:
    pbx.far_side = Answers()
    await app.accounts.set_locked("1001", True)
    await call(pbx, user, "112")
    await is_up(app)


class TestWithoutSignIn:
    @pytest.fixture
    def settings(self, open_settings: Settings) -> Settings:
        return open_settings

    async def test_everybody_is_who_they_say(self, app: App, pbx: FakeAri) -> None:
        pbx.far_side = Answers()
        await call(pbx, "1005")
        await is_up(app)
