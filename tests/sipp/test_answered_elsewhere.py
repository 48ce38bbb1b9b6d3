"""A call that rings here and is answered by somebody else: nobody has missed it."""

import asyncio
from pathlib import Path

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client import IncomingCall
from tests.real.live_system import LiveSystem
from tests.real.parts import Pbx, both_versions
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, both_versions]


async def stopped(site: LiveSystem, incoming: IncomingCall) -> tuple[str, Outcome | None]:
    """Why it rings no more, as the page is told, and how the call ended."""
    reason = await incoming.wait_until_stopped(timeout=8)
    return reason, site.app.calls.get(incoming.id).outcome


def dial(pbx: Pbx, number: str, application: str, data: str) -> None:
    """The number, called by a SIP caller, does this."""
    pbx.asterisk.cli(f'dialplan add extension {number},1,{application},"{data}" into from-sip replace')


ELSEWHERE = ("answered_elsewhere", Outcome.ANSWERED_ELSEWHERE)
GAVE_UP = ("cancelled", Outcome.CANCELLED)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ('Q.850;cause=26;text="Answered elsewhere"', ELSEWHERE),
        # As Asterisk itself says it, in two headers.
        ('SIP;cause=200;text="Call completed elsewhere"\r\nReason: Q.850;cause=26', ELSEWHERE),
        ("Q.850;cause=16", GAVE_UP),
        ("SIP;cause=487", GAVE_UP),
    ],
    ids=["q850-26", "both", "q850-16", "sip-487"],
)
async def test_the_reason_of_a_cancel_tells_who_gave_up_from_who_was_answered_elsewhere(
    site: LiveSystem, tmp_path: Path, reason: str, told: tuple[str, Outcome]
) -> None:
    async with site.phone("1001") as phone:
        async with Sipp("caller_cancels_with_reason", tmp_path, to=site.pbx.sip_port, reason=reason) as caller:
            incoming = await phone.incoming(timeout=5)
            await caller.saw("180 Ringing")
            await caller.tell()
            assert await stopped(site, incoming) == told
            await caller.done()


@pytest.mark.parametrize("group", ["Local/1001@from-sip/n", "Local/1001@from-sip", "Local/890@from-sip/n"])
async def test_a_colleague_of_the_ring_group_answers(site: LiveSystem, tmp_path: Path, group: str) -> None:
    dial(site.pbx, "888", "Dial", f"{group}&PJSIP/7001@trunk,30")
    dial(site.pbx, "890", "Dial", "Local/1001@from-sip/n")  # a Local channel behind another
    async with site.phone("1001") as phone:
        async with Sipp("phone_plays_first", tmp_path, port=site.pbx.trunk_port) as colleague:
            async with Sipp("caller_hangs_up", tmp_path, to=site.pbx.sip_port, number="888") as caller:
                incoming = await phone.incoming(timeout=5)
                await colleague.tell()
                assert await stopped(site, incoming) == ELSEWHERE
                await caller.saw("CSeq: 1 ACK")
                await caller.tell()
                await caller.done()
                await colleague.done()


async def test_another_user_of_the_ring_group_answers(site: LiveSystem, tmp_path: Path) -> None:
    dial(site.pbx, "888", "Dial", "Local/1001@from-sip/n&Local/1002@from-sip/n,30")
    async with site.phone("1001") as phone, site.phone("1002") as other:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, number="888") as caller:
            here, there = await phone.incoming(timeout=5), await other.incoming(timeout=5)
            call = await there.answer()
            assert await stopped(site, here) == ELSEWHERE
            await call.wait_for("accepted", timeout=5)
            await call.hangup()
            await call.wait_for("ended", timeout=5)
            assert call.outcome is Outcome.COMPLETED
            await caller.done()


async def test_the_caller_of_a_ring_group_gives_up(site: LiveSystem, tmp_path: Path) -> None:
    dial(site.pbx, "888", "Dial", "Local/1001@from-sip/n&Local/1002@from-sip/n,30")
    async with site.phone("1001") as phone:
        async with Sipp("caller_cancels", tmp_path, to=site.pbx.sip_port, number="888") as caller:
            incoming = await phone.incoming(timeout=5)
            await caller.saw("180 Ringing")
            await caller.tell()
            assert await stopped(site, incoming) == GAVE_UP
            await caller.done()


async def test_a_colleague_picks_the_call_up(site: LiveSystem, tmp_path: Path) -> None:
    await asyncio.to_thread(site.pbx.asterisk.cli, "module load app_directed_pickup.so")
    dial(site.pbx, "888", "Dial", "Local/1001@from-sip/n,30")
    dial(site.pbx, "889", "PickupChan", "Local/1001@from-sip")
    async with site.phone("1001") as phone:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, number="888"):
            incoming = await phone.incoming(timeout=5)
            async with Sipp("caller_hangs_up", tmp_path, to=site.pbx.sip_port, number="889") as colleague:
                assert await stopped(site, incoming) == ELSEWHERE
                await colleague.saw("CSeq: 1 ACK")
                await colleague.tell()
                await colleague.done()
