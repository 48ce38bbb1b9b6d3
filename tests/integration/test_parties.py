"""Hold, transfer and conference through the real Asterisk and rtpengine: who hears whom, by each one's tone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client import Call, Client
from ari_bridge_client.audio import Tone
from ari_bridge_client.events import TransferFailed
from tests.real.live_system import LiveSystem
from tests.real.parts import both_versions

pytestmark = pytest.mark.real

A, B, C = 500.0, 900.0, 1300.0
TONES = {A, B, C}


@dataclass
class Line:
    """A phone, and the tone that it sends in every call."""

    phone: Client
    hz: float

    async def takes(self) -> Call:
        incoming = await self.phone.incoming(timeout=5)
        return await incoming.answer(Tone(self.hz))

    async def calls(self, user: str, other: "Line") -> tuple[Call, Call]:
        """Both ends of a call that is heard both ways."""
        placed, taken = await asyncio.gather(self.phone.call(user, source=Tone(self.hz)), other.takes())
        await placed.wait_for("accepted")
        await hear(placed, other.hz)
        await hear(taken, self.hz)
        return placed, taken


async def hear(call: Call, *tones: float) -> None:
    """Of the tones that are sent here, exactly these are heard."""
    await call.received_audio.wait_for_tones(set(tones), TONES, timeout=6)


async def music(call: Call) -> None:
    async with asyncio.timeout(5):
        while call.received_audio.analyze().is_silent:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture
async def lines(site: LiveSystem) -> AsyncIterator[tuple[Line, Line, Line]]:
    async with AsyncExitStack() as opened:
        phones = [await opened.enter_async_context(site.phone(user)) for user in ("1001", "1002", "1003")]
        yield Line(phones[0], A), Line(phones[1], B), Line(phones[2], C)


@both_versions
async def test_on_hold_the_other_side_hears_music_and_we_hear_nothing(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, _ = lines
    here, there = await alice.calls("1002", bob)
    await here.hold()
    await here.received_audio.wait_for_silence()  # neither the other side nor the music
    await hear(there)
    await music(there)
    await here.unhold()
    await hear(here, B)
    await hear(there, A)
    await here.hangup()


@both_versions
async def test_new_media_of_a_held_call_does_not_let_us_be_heard(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, _ = lines
    here, there = await alice.calls("1002", bob)
    await here.hold()
    await here.renew_media()
    await asyncio.sleep(1)
    await hear(there)
    await here.received_audio.wait_for_silence()
    await here.unhold()
    await hear(there, A)
    await hear(here, B)
    await here.hangup()


@both_versions
async def test_a_blind_transfer_connects_the_two_others(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, carol = lines
    here, there = await alice.calls("1002", bob)
    await here.transfer("1003")
    ringing = await carol.phone.incoming(timeout=5)
    assert ringing.caller == "1002"  # whom she will talk to
    await hear(there)
    await music(there)
    taken = await ringing.answer(Tone(C))
    await here.wait_for("ended")
    assert here.outcome is Outcome.TRANSFERRED
    await hear(there, C)
    await hear(taken, B)
    await taken.hangup()
    await there.wait_for("ended")


@both_versions
@pytest.mark.parametrize(
    ("target", "outcome"),
    [("604", Outcome.BUSY), ("5555", Outcome.UNREACHABLE)],
    ids=["busy", "unknown-number"],
)
async def test_a_transfer_that_fails_brings_the_other_side_back(
    lines: tuple[Line, Line, Line], target: str, outcome: Outcome
) -> None:
    alice, bob, _ = lines
    here, there = await alice.calls("1002", bob)
    await here.transfer(target)
    told = await here.wait_for("transfer_failed")
    assert isinstance(told, TransferFailed) and (told.target, told.outcome) == (target, outcome)
    await hear(here, B)
    await hear(there, A)
    await here.hangup()


async def test_a_transfer_is_taken_back(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, carol = lines
    here, there = await alice.calls("1002", bob)
    await here.transfer("1003")
    ringing = await carol.phone.incoming(timeout=5)
    await here.drop_party(2)
    await hear(here, B)
    await hear(there, A)
    await ringing.wait_until_stopped(timeout=5)
    await here.hangup()


@both_versions
async def test_an_attended_transfer_connects_the_two_others(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, carol = lines
    first, there = await alice.calls("1002", bob)
    await first.hold()
    second, other = await alice.calls("1003", carol)
    await first.attended_transfer(second)
    await first.wait_for("ended")
    await second.wait_for("ended")
    assert first.outcome is second.outcome is Outcome.TRANSFERRED
    await hear(there, C)
    await hear(other, B)
    await there.hangup()
    await other.wait_for("ended")


@both_versions
async def test_a_conference_of_three_who_come_and_go(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, carol = lines
    here, there = await alice.calls("1002", bob)
    await here.add_party("1003")
    other = await carol.takes()
    await asyncio.gather(hear(here, B, C), hear(there, A, C), hear(other, A, B))
    await here.drop_party(2)
    await other.wait_for("ended")
    await asyncio.gather(hear(here, B), hear(there, A))
    await here.hangup()


@both_versions
async def test_two_calls_become_a_conference_that_we_leave(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, carol = lines
    first, there = await alice.calls("1002", bob)
    await first.hold()
    second, other = await alice.calls("1003", carol)
    await first.merge(second)
    await asyncio.gather(hear(first, B, C), hear(there, A, C), hear(other, A, B))
    await first.leave()
    await asyncio.gather(hear(there, C), hear(other, B))
    await there.hangup()
    await other.wait_for("ended")


async def test_the_first_party_goes_and_the_others_talk_on(lines: tuple[Line, Line, Line]) -> None:
    alice, bob, carol = lines
    here, there = await alice.calls("1002", bob)
    await here.add_party("1003")
    other = await carol.takes()
    await hear(here, B, C)
    await there.hangup()
    await asyncio.gather(hear(here, C), hear(other, A))
    await here.wait_until(lambda: here.parties[1].state == "ended", "told")
    await other.hangup()
    await here.wait_for("ended")
