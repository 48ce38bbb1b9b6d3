"""The client on the whole server: calls without sound, what is refused, and what outlives a lost connection."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from ari_bridge.accounts.users_file import UsersFile
from ari_bridge.outcomes import Outcome
from ari_bridge_client import (
    Call,
    Client,
    ClientError,
    ConnectionLost,
    OfferOnlyMedia,
    Refused,
    WaitTimeout,
)
from ari_bridge_client.events import CallEvent, Ended, Failed, Hold, Recording
from ari_bridge_protocol.messages import Preferences
from frontend.app import App
from frontend.settings import Settings
from tests.chaos.proxy import Proxy
from tests.fakes.ari import Answers, FakeAri, RingsForEver
from tests.fakes.far_side import BUSY
from tests.offers import OFFER
from tests.real import free_ports


@pytest.fixture
async def proxy(app: App) -> AsyncIterator[Proxy]:
    [port] = free_ports.ports(1)
    to = urlsplit(app.url)
    assert to.hostname and to.port
    async with Proxy("127.0.0.1", port, (to.hostname, to.port)) as proxy:
        yield proxy


async def talking(client: Client) -> Call:
    call = await client.call("600", media=OfferOnlyMedia(OFFER))
    await call.wait_for("accepted")
    return call


async def all_of(call: Call) -> list[CallEvent]:
    async with asyncio.timeout(5):
        return [event async for event in call.events()]


async def test_a_call_from_its_answer_to_its_end(app: App, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    async with Client(app.url) as client:
        call = await talking(client)
        assert call.sdp_answer.startswith("v=0")
        await call.hold()
        await call.unhold()
        await call.record()
        await call.record("pause")
        await call.record("stop")
        await call.send_dtmf("1")
        await call.hangup()
        await call.hangup()  # nothing more to do
        await call.post_feedback(4, "echo")
    events = await all_of(call)
    assert [event for event in events if isinstance(event, Hold)] == [Hold(True, "us"), Hold(False, "us")]
    recordings = [event.state for event in events if isinstance(event, Recording)]
    assert recordings == ["on", "paused", "off"]
    assert isinstance(events[-1], Ended) and events[-1].outcome is Outcome.COMPLETED


async def test_a_call_that_is_not_taken(app: App, pbx: FakeAri) -> None:
    pbx.far_side = BUSY
    async with Client(app.url) as client:
        call = await client.call("600", media=OfferOnlyMedia(OFFER))
        end = await call.wait_for("ended")
    assert isinstance(end, Failed) and end.outcome is Outcome.BUSY and end.q850 == 17


async def test_the_end_of_the_client_hangs_up(app: App, pbx: FakeAri) -> None:
    pbx.far_side = RingsForEver()
    async with Client(app.url) as client:
        call = await client.call("600", media=OfferOnlyMedia(OFFER))
        await call.wait_for("ringing")
    assert call.outcome is Outcome.CANCELLED
    assert [event.name for event in await all_of(call)] == ["ringing", "ended"]


async def test_what_is_refused_is_raised_where_it_was_asked(app: App, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    async with Client(app.url) as client:
        with pytest.raises(Refused) as wrong:
            await client.call("6 0 0; DROP", media=OfferOnlyMedia(OFFER))
        assert (wrong.value.code, wrong.value.fatal) == ("invalid_target", True)
        with pytest.raises(Refused) as no_sdp:
            await client.call("600", media=OfferOnlyMedia("hello"))
        assert no_sdp.value.code == "invalid_sdp"
        call = await talking(client)
        for asking, code in (
            (call.send_dtmf("x"), "invalid_request"),
            (call.record("stop"), "wrong_state"),
            (call.leave(), "wrong_state"),
            (call.drop_party(9), "invalid_request"),
            (call.transfer(""), "invalid_target"),
            (call.post_feedback(9), "invalid_request"),
            (call.post_feedback(3), "wrong_state"),
            (client.set_preferences(Preferences(ring_seconds=1)), "unauthorized"),
        ):
            with pytest.raises(Refused) as refused:
                await asking
            assert refused.value.code == code, asking
        await call.hold()  # no refusal before is in the way of what works
        assert call.held
        await call.hangup()


async def test_many_at_once_get_each_their_own_answer(app: App, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    async with Client(app.url) as client:
        call = await talking(client)
        asked = ["1", "x", "2", "y", "3", "z"]
        answers = await asyncio.gather(*(call.send_dtmf(digits) for digits in asked), return_exceptions=True)
        assert [isinstance(answer, Refused) for answer in answers] == [False, True] * 3
        await call.hangup()


async def test_calls_that_ended_long_ago_are_forgotten(app: App, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    async with Client(app.url, max_ended_calls=2) as client:
        for _ in range(5):
            await (await talking(client)).hangup()
        assert len(client._calls) == 3


async def test_a_call_whose_sound_is_elsewhere_is_commanded_and_followed(app: App, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    async with Client(app.url, user="1001") as desk, Client(app.url, user="1001") as program:
        call = await talking(desk)
        async with asyncio.timeout(5):
            while not program.live_calls:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        other = program.control(call.id)
        await other.wait_for("accepted")
        assert program.control(call.id) is other
        await other.hold()
        await call.wait_for("hold")
        assert call.held and other.held
        await other.unhold()
        await other.hangup()
        await call.wait_for("ended")
    events = await all_of(other)
    assert [event.name for event in events if event.name != "party"][-4:] == ["accepted", "hold", "hold", "ended"]
    assert other.outcome is Outcome.COMPLETED
    with pytest.raises(WaitTimeout):
        program.control("nosuchcall")


async def test_a_lost_connection_is_made_again_and_calls_go_on(app: App, pbx: FakeAri, proxy: Proxy) -> None:
    pbx.far_side = Answers()
    async with Client(proxy.url, user="1001") as client:
        call = await talking(client)
        proxy.reset()
        await call.wait_for("reconnected", 10)
        await client.wait_connected()
        assert client.registered and client.connection_count == 2
        await call.hold()
        await call.hangup()
    names = [event.name for event in await all_of(call)]
    assert [name for name in names if name != "party"] == [
        "ringing",
        "accepted",
        "reconnecting",
        "reconnected",
        "hold",
        "ended",
    ]
    assert call.outcome is Outcome.COMPLETED


async def test_a_call_that_ended_meanwhile_says_how(app: App, pbx: FakeAri, proxy: Proxy) -> None:
    pbx.far_side = Answers()
    async with Client(proxy.url, user="1001") as client:
        call = await talking(client)
        await proxy.cut()
        await call.wait_for("reconnecting")
        app.calls.hangup(call.id)
        await proxy.mend()
        end = await call.wait_for("ended", 10)
    assert isinstance(end, Ended) and end.outcome is Outcome.COMPLETED
    assert [event.name for event in await all_of(call)] == ["ringing", "accepted", "reconnecting", "ended"]


async def test_a_path_that_went_dead_is_noticed(app: App, pbx: FakeAri, proxy: Proxy) -> None:
    pbx.far_side = Answers()
    async with Client(proxy.url, keepalive_interval=0.1) as client:
        call = await talking(client)
        proxy.swallow()
        await call.wait_for("reconnecting", 5)
        await proxy.mend()
        proxy.reset()
        await call.wait_for("reconnected", 15)
        await client.wait_connected()
        await call.hangup()
    assert call.outcome is Outcome.COMPLETED


async def test_without_reconnects_the_loss_is_raised(app: App, pbx: FakeAri, proxy: Proxy) -> None:
    pbx.far_side = Answers()
    async with Client(proxy.url, reconnects=False) as client:
        call = await talking(client)
        proxy.reset()
        with pytest.raises(ConnectionLost):
            await call.wait_for("ended")
        with pytest.raises(ConnectionLost):
            await all_of(call)
        with pytest.raises(ConnectionLost):
            await call.hold()
        with pytest.raises(ConnectionLost):
            await client.incoming()
        await client.reconnect()
        await call.hangup()
    assert call.outcome is Outcome.COMPLETED


async def test_a_client_that_is_dropped_ends_its_readers(app: App, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    client = Client(app.url)
    await client.__aenter__()
    call = await talking(client)
    reading = asyncio.create_task(all_of(call))
    await asyncio.sleep(0)
    await client.abort()
    with pytest.raises(ConnectionLost):
        await reading


class TestSignIn:
    @pytest.fixture
    def settings(self, base_settings: Settings) -> Settings:
        assert base_settings.users_file
        users = UsersFile(base_settings.users_file)
        users.add("1001", "right")
        return base_settings.model_copy(update={"enable_authentication": True, "disconnect_grace": 10.0})

    async def test_user_and_password_are_enough(self, app: App, pbx: FakeAri) -> None:
        pbx.far_side = Answers()
        async with Client(app.url, user="1001", password="right") as client:
            assert client.registered
            call = await talking(client)
            await call.hangup()
            assert (await client.http.get_call(call.id)).outcome is Outcome.COMPLETED

    async def test_a_wrong_password(self, app: App) -> None:
        with pytest.raises(Refused):
            async with Client(app.url, user="1001", password="wrong"):
                pass

    async def test_a_wrong_token(self, app: App) -> None:
        with pytest.raises(Refused) as refused:
            async with Client(app.url, user="1001", token="x.y.z"):
                pass
        assert (refused.value.code, refused.value.field) == ("unauthorized", "token")

    async def test_a_new_token(self, app: App, pbx: FakeAri) -> None:
        async with Client(app.url, user="1001", password="right") as client:
            token = client.http.token
            assert token
            with pytest.raises(Refused):
                await client.update_token("x.y.z")
            await client.update_token(token)
            assert client.registered


async def test_nobody_there_is_one_clear_error() -> None:
    [port] = free_ports.ports(1)
    with pytest.raises(ClientError, match="cannot connect to ws://127.0.0.1"):
        async with Client(f"http://127.0.0.1:{port}"):
            pass
