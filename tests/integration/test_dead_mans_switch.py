"""Asterisk ends calls by itself when no process of ours is left to do it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ari_bridge.ari.channels import LIMIT
from ari_bridge.ari.models import Variable
from ari_bridge.ari.rest import read
from ari_bridge.ids import Kind, leg_id, resource_id
from ari_bridge_client import Client
from deploy.demo.rtpengine import Rtpengine
from tests.chaos import front_end as processes
from tests.chaos.front_end import FrontEnd
from tests.real.live_system import LiveSystem
from tests.real.parts import Pbx, both_versions

pytestmark = [pytest.mark.real, both_versions]

PROGRAM = """
from ari_bridge.engine import limits
limits.DEAD_MAN_MARGIN_S = 1.0
from frontend.cli.__main__ import main
main()
"""


@pytest.fixture
async def short_lived(
    pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FrontEnd]:
    """A front end whose calls Asterisk ends after 9 seconds; our own limit would take longer."""
    monkeypatch.setattr(processes, "SERVE", (processes.SERVE[0], "-c", PROGRAM, "serve"))
    front_end = FrontEnd(
        tmp_path,
        {
            "ARI_URL": pbx.asterisk.ari_url,
            "ARI_USER": pbx.asterisk.ari_user,
            "ARI_PASSWORD": pbx.asterisk.ari_password,
            "RTPENGINE_NG": rtpengine.ng_address,
            "ENABLE_AUTHENTICATION": "false",
            "RING_TIMEOUT": "2",
            "MAX_CALL_SECONDS": "6",
        },
    )
    try:
        await front_end.start()
        yield front_end
    finally:
        await front_end.close()


async def channels(pbx: Pbx) -> list[str]:
    listed = await asyncio.to_thread(pbx.asterisk.cli, "core show channels concise")
    return [line for line in listed.splitlines() if "!" in line]


async def test_calls_end_though_the_server_was_killed(short_lived: FrontEnd, pbx: Pbx) -> None:
    async with Client(short_lived.ws_url, user="1001") as one, Client(short_lived.ws_url, user="1002") as two:
        conference = await one.call("600")
        await conference.wait_for("accepted", timeout=8)
        await conference.add_party("602")
        placed, _ = await asyncio.gather(two.call("1001"), accept(one))
        await placed.wait_for("accepted", timeout=8)
        assert len(await channels(pbx)) >= 6
        await short_lived.kill()
    async with asyncio.timeout(30):
        while await channels(pbx):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await short_lived.start()  # it finds the calls ended, and removes what is left of them


async def accept(phone: Client) -> object:
    incoming = await phone.incoming(timeout=8)
    return await incoming.answer()


async def test_commands_to_a_channel_do_not_prolong_it(site: LiveSystem) -> None:
    ari, requests = site.app.ari, site.app.ari.channels._requests

    async def remaining(channel: str) -> float:
        reply = await requests.send("channels", "getChannelVar", channelId=channel, variable=LIMIT)
        return float(read(reply, Variable).value)

    async with site.phone("1001") as phone:
        call = await phone.call("600")
        await call.wait_for("accepted", timeout=8)
        names = [leg_id(call.id, 1), resource_id(call.id, Kind.FAR)]
        before = {name: await remaining(name) for name in names}
        longest = ari.channels.longest_s
        assert all(longest - 15 < seconds < longest for seconds in before.values()), before
        await call.hold()
        await call.send_dtmf("1")
        await call.unhold()
        await asyncio.sleep(1.0)
        after = {name: await remaining(name) for name in names}
        assert all(0 < after[name] < before[name] for name in names), (before, after)
        await call.hangup()
