"""One front end for each ARI application: who comes second is refused, who was taken over notices and takes it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest

from ari_bridge.ari import ownership
from ari_bridge.ari.client import Ari
from ari_bridge.ari.ownership import ApplicationInUse
from tests.component.conftest import until
from tests.fakes.ari import FakeAri


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "PROBE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(ownership, "ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setattr(ownership, "POLL_INTERVAL_S", 0.02)


def a_client(pbx: FakeAri) -> Ari:
    return Ari(pbx.url, pbx.user, pbx.password, "ari-bridge", timeout=1.0)


@asynccontextmanager
async def serving(pbx: FakeAri, instance: str) -> AsyncIterator[Ari]:
    ari = a_client(pbx)
    await ari.start(instance)
    try:
        await until(lambda: ari.connected, "the event stream")
        yield ari
    finally:
        await ari.close()


def bare(pbx: FakeAri) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """A client that knows nothing of us."""
    return aiohttp.ClientSession(
        pbx.url + "/", headers={"Authorization": aiohttp.encode_basic_auth(pbx.user, pbx.password, "utf-8")}
    )


async def test_a_second_front_end_refuses_to_start_and_the_first_hears_on(pbx: FakeAri) -> None:
    async with serving(pbx, "one") as first:
        second = a_client(pbx)
        with pytest.raises(ApplicationInUse, match=r"process \d+ on .*another ARI_APP"):
            await second.start("two")
        assert first.connected and pbx.connections == 1


async def test_the_next_process_of_the_same_folder_starts_at_once_though_all_looks_as_if_one_served(
    pbx: FakeAri,
) -> None:
    async with serving(pbx, "one"), serving(pbx, "one") as second:  # the lock of the folder says that the first is dead
        assert second.connected


async def test_one_that_was_killed_and_has_left_calls_is_followed_by_another(pbx: FakeAri) -> None:
    await pbx.call_in("caller", "1001")  # so Asterisk keeps the application, and takes user events for it
    pbx.variables["ARI_BRIDGE_ari_2Dbridge_HOLDER"] = "killed"
    async with serving(pbx, "two"):
        assert pbx.variables["ARI_BRIDGE_ari_2Dbridge_HOLDER"] == "two"


async def test_one_that_ends_leaves_the_application_free(pbx: FakeAri) -> None:
    async with serving(pbx, "one"):
        pass
    assert pbx.variables["ARI_BRIDGE_ari_2Dbridge_HOLDER"] == ""


async def test_a_bare_client_that_takes_the_application_loses_it_again(pbx: FakeAri) -> None:
    async with serving(pbx, "one") as ari:
        assert ari.taken_over == ""
        async with bare(pbx) as session, session.ws_connect("events?app=ari-bridge"):
            await until(lambda: pbx.connections == 3 and ari.connected, "the application is taken back")
        assert "another client took over the ARI application ari-bridge" in ari.taken_over


async def test_a_stream_that_is_deaf_is_noticed_though_nothing_was_told(pbx: FakeAri) -> None:
    """ApplicationReplaced may be lost, and Asterisk have no application of ours: the socket is open all along."""
    pbx.mute.add("ApplicationReplaced")
    async with serving(pbx, "one") as ari:
        async with bare(pbx) as session, session.ws_connect("events?app=ari-bridge"):
            pass
        await until(lambda: pbx.connections >= 3 and ari.connected, "a stream that hears again")
        before = pbx.connections
        await asyncio.sleep(0.5)
        assert pbx.connections == before, "a stream that hears is left alone"


async def test_user_events_of_others_go_to_who_listens_and_ours_do_not(pbx: FakeAri) -> None:
    async with serving(pbx, "one") as ari:
        heard: list[str] = []
        ari.on_event(lambda event: heard.append(event.type))
        await asyncio.sleep(0.3)  # some probes
        await pbx.emit("ChannelUserevent", eventname="theirs", userevent={})
        await until(lambda: heard, "theirs")
        assert heard == ["ChannelUserevent"]
