"""Two of them, or none: a second front end of one application, a client that takes it over, a call store that is gone.

Proved by what the far side's tone does at the phone: nobody hangs up what he does not know.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from ari_bridge_client import Client
from ari_bridge_client.audio import Silence, is_tone
from deploy.demo.rtpengine import Rtpengine
from frontend.cli.reconcile import reconcile
from tests.chaos.front_end import FrontEnd
from tests.real.live_system import settings
from tests.real.parts import Pbx, both_versions

pytestmark = pytest.mark.real
MILLIWATT = 1004.0


@asynccontextmanager
async def front_ends(pbx: Pbx, rtpengine: Rtpengine, folder: Path, *names: str) -> AsyncIterator[list[FrontEnd]]:
    """One for each name, with a folder of its own; none is started."""
    environment = {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": rtpengine.ng_address,
        "ENABLE_AUTHENTICATION": "false",
        "DISCONNECT_GRACE": "20",
    }
    all_of_them = [FrontEnd(folder / name, environment) for name in names]
    try:
        yield all_of_them
    finally:
        for one in all_of_them:
            await one.close()


async def health(front_end: FrontEnd) -> Any:
    return await front_end.get("/health")


async def heard_again(call: Any) -> None:
    """The tone comes now, not a moment ago."""
    fresh: list[tuple[Any, int]] = []
    call.received_audio.on_frame(lambda samples, rate: fresh.append((samples, rate)))
    await asyncio.sleep(1.0)
    rates = {rate for _, rate in fresh}
    assert rates, "nothing is heard"
    samples = np.concatenate([one for one, _ in fresh])
    assert is_tone(samples[-len(samples) // 2 :], MILLIWATT, rates.pop())


@both_versions
async def test_a_second_one_refuses_to_start_and_the_talk_goes_on(
    pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path
) -> None:
    async with front_ends(pbx, rtpengine, tmp_path, "first", "copied") as (first, copied):
        await first.start()
        async with Client(first.ws_url, user="1001") as phone:
            call = await phone.call("601", Silence())
            await call.received_audio.wait_for_tone(MILLIWATT)
            await copied.spawn()
            await copied.gone(seconds=15)
            assert copied.status == 1
            assert "is served by another front end (process" in copied.last_words()
            await asyncio.sleep(3)  # once, after two seconds, all that stood was hung up
            await heard_again(call)
            assert (await health(first))["status"] == "ok"
            await call.hangup()


@both_versions
async def test_a_bare_client_of_the_name_makes_nobody_deaf(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> None:
    async with front_ends(pbx, rtpengine, tmp_path, "first") as (first,):
        await first.start()
        login = aiohttp.encode_basic_auth(pbx.asterisk.ari_user, pbx.asterisk.ari_password)
        async with Client(first.ws_url, user="1001") as phone:
            call = await phone.call("601", Silence())
            await call.received_audio.wait_for_tone(MILLIWATT)
            async with aiohttp.ClientSession(headers={"Authorization": login}) as bare:
                async with bare.ws_connect(f"{pbx.asterisk.ari_url}/events?app=ari-bridge"):
                    await asyncio.sleep(1)
            await asyncio.sleep(1)
            told = await health(first)
            assert told["status"] == "degraded" and told["checks"]["ari"]["ok"]
            assert "another client took over the ARI application ari-bridge" in told["checks"]["ari"]["reason"]
            await heard_again(call)
            await call.hangup()  # told by Asterisk: the stream hears again
            other = await phone.call("601", Silence())
            await other.wait_for("accepted")
            await other.hangup()


@both_versions
async def test_one_that_knows_nothing_of_a_talk_keeps_it_and_the_operator_ends_it(
    pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with front_ends(pbx, rtpengine, tmp_path, "first", "next") as (first, following):
        await first.start()
        async with Client(first.ws_url, user="1001") as phone:
            call = await phone.call("601", Silence())
            await call.received_audio.wait_for_tone(MILLIWATT)
            await first.kill()
            await following.start()
            await asyncio.sleep(5)  # two sweeps
            [live] = (await following.get("/live"))["calls"]
            assert (live["callId"], live["ownerless"], live["state"]) == (call.id, True, "accepted")
            assert "FOUND A CALL WITHOUT A ROW IN THE CALL STORE" in following.log.read_text()
            await heard_again(call)
            wanted = settings(pbx, rtpengine, state_dir=tmp_path / "nobody's")
            assert await asyncio.to_thread(reconcile, wanted, apply=False) == 0
            told = " ".join(capsys.readouterr().out.split())
            assert "kept, without an owner" in told
            assert await asyncio.to_thread(reconcile, wanted, apply=True) == 0, "nor does that remove it"
            assert (await following.get("/live"))["calls"]
            assert await asyncio.to_thread(reconcile, wanted, apply=False, end=call.id) == 0
            async with asyncio.timeout(5):
                while (await following.get("/live"))["calls"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            await phone.abort()


@both_versions
async def test_a_state_directory_that_is_deleted_costs_no_call(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> None:
    async with front_ends(pbx, rtpengine, tmp_path, "first") as (first,):
        await first.start()
        async with Client(first.ws_url, user="1001") as phone:
            call = await phone.call("601", Silence())
            await call.received_audio.wait_for_tone(MILLIWATT)
            shutil.rmtree(first.state)
            await asyncio.sleep(4)
            files = {path.name for path in await asyncio.to_thread(lambda: list(first.state.iterdir()))}
            assert {"calls.sqlite3", "calls.lock", "instance", "session-secret"} <= files
            assert (await health(first))["status"] == "ok"
            await first.kill()
            await first.start()
            await phone.wait_connected(15, after=1)
            await heard_again(call)
            assert call.state == "accepted"
            [live] = (await first.get("/live"))["calls"]
            assert not live["ownerless"]
            await call.hangup()
