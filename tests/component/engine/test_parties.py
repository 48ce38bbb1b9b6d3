"""Hold, transfer, conference through the engine: who is in the bridge, who hears music, and that nothing is left."""

from pathlib import Path

import pytest

from ari_bridge.engine.limits import Limits
from ari_bridge.errors import InvalidRequest, InvalidTarget, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState, PartyState
from ari_bridge.fsm.notifications import HoldChanged, PartyChanged, StateChanged, TransferEnded
from ari_bridge.outcomes import Outcome
from tests.component.conftest import Engine, an_engine, until
from tests.fakes.ari import BUSY, Answers, FakeAri, RingsForEver
from tests.fakes.rtpengine import FakeRtpengine
from tests.hang_up import hang_up_all
from tests.offers import OFFER


def endpoint(number: str) -> str:
    return f"Local/{number}@from-browser/n"


async def talking(engine: Engine, number: str = "600", *, user: str = "alice", session: str | None = None) -> Call:
    call = engine.calls.place(
        target=number, sdp=OFFER, caller="1001", user=user, session=session, listener=engine.listen
    )
    await until(lambda: engine.calls.get(call.id).state is CallState.UP, "an answer")
    await until(lambda: len(members(engine, call)) == 2, "both legs bridged")
    return call


def members(engine: Engine, call: Call) -> list[str]:
    return engine.ari.bridges.get(f"{call.id}-br", [])


def muted(engine: Engine, call: Call) -> bool:
    return engine.ari.channels[f"{call.id}-em"].muted


def music(engine: Engine, call: Call) -> bool:
    return f"{call.id}-br" in engine.ari.music


async def nothing_is_left(engine: Engine) -> None:
    await until(engine.nothing_left, "the end of everything")


def states(engine: Engine, call: Call) -> list[str]:
    """As its own user sees them."""
    told = [u.call for u in engine.updates if isinstance(u.what, StateChanged) and u.call.id == call.id]
    return ["left" if call.left_outcome else call.state.value for call in told]


class TestHold:
    async def test_the_held_side_hears_music_and_nothing_of_us(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.calls.control.hold(call.id, True)
        await until(lambda: muted(engine, call) and music(engine, call), "hold")
        assert [u.what.by_us for u in engine.updates if isinstance(u.what, HoldChanged)] == [True]
        engine.calls.control.hold(call.id, False)
        await until(lambda: not muted(engine, call) and not music(engine, call), "no hold")

    async def test_held_twice_is_held_once(self, engine: Engine) -> None:
        call = await talking(engine)
        for _ in range(2):
            engine.calls.control.hold(call.id, True)
        await until(lambda: music(engine, call), "music")
        assert engine.ari.count("bridges.startMoh") == engine.ari.count("channels.mute") == 1

    async def test_a_call_that_is_not_answered_cannot_be_held(self, engine: Engine) -> None:
        engine.ari.far_side = RingsForEver()
        call = engine.calls.place(target="600", sdp=OFFER, caller="1001", listener=engine.listen)
        with pytest.raises(WrongState, match="cannot be held"):
            engine.calls.control.hold(call.id, True)

    async def test_new_media_of_a_held_call_is_kept_apart_as_well(self, engine: Engine) -> None:
        call = await talking(engine, session="page")
        engine.calls.control.hold(call.id, True)
        await until(lambda: muted(engine, call), "hold")
        engine.calls.renew_media(call.id, sdp=OFFER)
        await until(lambda: f"{call.id}-em2" in members(engine, call), "the new leg")
        assert engine.ari.channels[f"{call.id}-em2"].muted and music(engine, call)


class TestBlindTransfer:
    async def test_the_other_party_is_given_to_the_target(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.ari.far_side = Answers(after=0.1)
        engine.calls.control.transfer(call.id, "700")
        await until(lambda: muted(engine, call) and music(engine, call), "music while it rings")
        await until(lambda: set(members(engine, call)) == {f"{call.id}-far", f"{call.id}-far2"}, "the two alone")
        await until(lambda: f"{call.id}-em" not in engine.ari.channels, "our leg's end")
        await until(lambda: not engine.media.sessions and not music(engine, call), "neither media nor music")
        assert states(engine, call)[-1] == "left"
        assert [(u.what.party, u.what.failure) for u in engine.updates if isinstance(u.what, TransferEnded)] == [
            (2, None)
        ]
        await engine.ari.end(f"{call.id}-far2")
        await nothing_is_left(engine)
        ended = engine.calls.get(call.id)
        assert ended.outcome is Outcome.TRANSFERRED and ended.parties[0].target == "700"
        assert states(engine, call).count("left") == 1 and "ending" not in states(engine, call)

    @pytest.mark.parametrize(("far_side", "outcome"), [(BUSY, Outcome.BUSY)])
    async def test_a_target_that_cannot_be_reached_gives_the_party_back(
        self, engine: Engine, far_side: object, outcome: Outcome
    ) -> None:
        call = await talking(engine)
        engine.ari.far_sides[endpoint("700")] = far_side  # type: ignore[assignment]
        engine.calls.control.transfer(call.id, "700")
        await until(lambda: any(isinstance(u.what, TransferEnded) for u in engine.updates), "what became of it")
        assert [(u.what.party, u.what.failure) for u in engine.updates if isinstance(u.what, TransferEnded)] == [
            (2, outcome)
        ]
        await until(lambda: not muted(engine, call) and not music(engine, call), "the talk goes on")
        assert len(members(engine, call)) == 2 and engine.calls.get(call.id).state is CallState.UP

    async def test_a_transfer_can_be_taken_back(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.ari.far_side = RingsForEver()
        engine.calls.control.transfer(call.id, "700")
        await until(lambda: engine.ari.count("channels.dial") == 2, "its ringing")
        engine.calls.control.drop_party(call.id, 2)
        await until(lambda: f"{call.id}-far2" not in engine.ari.channels, "no ringing")
        await until(lambda: not muted(engine, call) and not music(engine, call), "the talk goes on")
        await until(lambda: engine.calls.get(call.id).parties[0].state is PartyState.GONE, "its end")
        assert engine.calls.get(call.id).parties[0].outcome is Outcome.CANCELLED

    async def test_who_leaves_meanwhile_lets_it_go_on(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.ari.far_side = Answers(after=0.2)
        engine.calls.control.transfer(call.id, "700")
        engine.calls.control.leave(call.id)
        await until(lambda: set(members(engine, call)) == {f"{call.id}-far", f"{call.id}-far2"}, "the two alone")
        await until(lambda: not music(engine, call), "no music")
        await engine.ari.end(f"{call.id}-far")
        await nothing_is_left(engine)

    async def test_who_has_left_and_whose_target_fails_leaves_nobody_behind(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.ari.far_sides[endpoint("700")] = BUSY
        engine.calls.control.transfer(call.id, "700")
        engine.calls.control.leave(call.id)
        await nothing_is_left(engine)

    async def test_the_party_that_hangs_up_ends_it_all(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.ari.far_side = RingsForEver()
        engine.calls.control.transfer(call.id, "700")
        await until(lambda: engine.ari.count("channels.dial") == 2, "its ringing")
        await engine.ari.end(f"{call.id}-far")
        await nothing_is_left(engine)
        assert engine.calls.get(call.id).outcome is Outcome.COMPLETED

    async def test_bad_targets(self, engine: Engine) -> None:
        call = await talking(engine)
        with pytest.raises(InvalidTarget):
            engine.calls.control.transfer(call.id, "no@where")
        with pytest.raises(InvalidRequest, match="in the call already"):
            engine.calls.control.transfer(call.id, "600")
        engine.ari.far_side = RingsForEver()
        engine.calls.control.transfer(call.id, "700")
        with pytest.raises(WrongState, match="transferred already"):
            engine.calls.control.transfer(call.id, "701")
        with pytest.raises(UnknownCall):
            engine.calls.control.transfer("nocall", "701")
        await until(lambda: engine.ari.count("channels.create") == 2, "the one target")


class TestAttendedTransfer:
    async def test_two_calls_become_one_without_us(self, engine: Engine) -> None:
        first = await talking(engine)
        engine.calls.control.hold(first.id, True)
        second = await talking(engine, "700")
        engine.calls.control.join(first.id, second.id, transfer=True)
        await until(lambda: set(members(engine, first)) == {f"{first.id}-far", f"{second.id}-far"}, "the two alone")
        await until(lambda: f"{second.id}-br" not in engine.ari.bridges, "the second bridge's end")
        assert states(engine, first)[-1] == "left" and states(engine, second)[-1] == "ending"
        assert engine.calls.get(second.id).outcome is Outcome.TRANSFERRED
        await until(lambda: not engine.media.sessions, "no media of ours")
        await until(lambda: not music(engine, first), "no music")
        await engine.ari.end(f"{second.id}-far")
        await nothing_is_left(engine)

    async def test_while_the_second_still_rings(self, engine: Engine) -> None:
        first = await talking(engine)
        engine.ari.far_side = Answers(after=0.2)
        second = engine.calls.place(target="700", sdp=OFFER, caller="1001", user="alice", listener=engine.listen)
        await until(lambda: engine.calls.get(second.id).state is CallState.RINGING, "ringing")
        engine.calls.control.join(first.id, second.id, transfer=True)
        await until(lambda: music(engine, first), "music until it answers")
        await until(lambda: set(members(engine, first)) == {f"{first.id}-far", f"{second.id}-far"}, "the two alone")
        await engine.ari.end(f"{first.id}-far")
        await nothing_is_left(engine)

    async def test_a_call_with_itself(self, engine: Engine) -> None:
        call = await talking(engine)
        with pytest.raises(InvalidRequest, match="itself"):
            engine.calls.control.join(call.id, call.id, transfer=True)

    async def test_a_caller_may_be_the_second(self, engine: Engine) -> None:
        first = await talking(engine)
        engine.pages.users = frozenset({"alice"})
        await engine.ari.call_in("ast-1", "1001")
        await until(lambda: engine.pages.rung, "ringing pages")
        second = engine.calls.accept(engine.pages.rung[0], sdp=OFFER, user="alice", listener=engine.listen)
        await until(lambda: engine.calls.get(second.id).state is CallState.UP, "accepted")
        engine.calls.control.join(first.id, second.id, transfer=True)
        await until(lambda: set(members(engine, first)) == {f"{first.id}-far", "ast-1"}, "the two alone")
        await engine.ari.end("ast-1")
        await nothing_is_left(engine)


class TestConference:
    async def test_a_third_is_called_in_and_let_go(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.calls.control.add_party(call.id, "700")
        await until(lambda: len(members(engine, call)) == 3, "three and us")
        assert not muted(engine, call) and not music(engine, call)
        told = [u.call.party(2) for u in engine.updates if isinstance(u.what, PartyChanged) and u.what.party == 2]
        assert [party.state.value for party in told if party] == ["trying", "ringing", "accepted"]
        engine.calls.control.drop_party(call.id, 2)
        await until(lambda: f"{call.id}-far2" not in engine.ari.channels, "two again")
        assert engine.calls.get(call.id).state is CallState.UP

    async def test_the_first_may_go_and_the_others_go_on(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.calls.control.add_party(call.id, "700")
        await until(lambda: len(members(engine, call)) == 3, "three")
        await engine.ari.end(f"{call.id}-far")
        await until(
            lambda: any(isinstance(u.what, PartyChanged) and u.what.party == 1 for u in engine.updates),
            "told",
        )
        assert engine.calls.get(call.id).state is CallState.UP
        await engine.ari.end(f"{call.id}-far2")
        await nothing_is_left(engine)

    async def test_who_leaves_lets_the_others_go_on(self, engine: Engine) -> None:
        call = await talking(engine)
        with pytest.raises(WrongState, match="Only one party"):
            engine.calls.control.leave(call.id)
        engine.calls.control.add_party(call.id, "700")
        await until(lambda: len(members(engine, call)) == 3, "three")
        engine.calls.control.leave(call.id)
        await until(lambda: set(members(engine, call)) == {f"{call.id}-far", f"{call.id}-far2"}, "the two alone")
        with pytest.raises(WrongState, match="has left"):
            engine.calls.control.hold(call.id, True)
        await engine.ari.end(f"{call.id}-far")
        await nothing_is_left(engine)
        assert engine.calls.get(call.id).outcome is Outcome.COMPLETED

    async def test_two_calls_are_joined(self, engine: Engine) -> None:
        first = await talking(engine)
        engine.calls.control.hold(first.id, True)
        second = await talking(engine, "700")
        engine.calls.control.join(first.id, second.id, transfer=False)
        await until(lambda: len(members(engine, first)) == 3, "three")
        await until(lambda: not muted(engine, first) and not music(engine, first), "all talk")
        engine.calls.hangup(first.id)
        await nothing_is_left(engine)

    async def test_digits_go_to_all(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.calls.control.add_party(call.id, "700")
        await until(lambda: len(members(engine, call)) == 3, "three")
        engine.calls.control.send_dtmf(call.id, "12")
        await until(lambda: engine.ari.channels[f"{call.id}-far2"].dtmf == "12", "digits")
        assert engine.ari.channels[f"{call.id}-far"].dtmf == "12"

    async def test_one_that_does_not_answer_in_time(
        self, fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, tmp_path: Path
    ) -> None:
        async with an_engine(fake_ari, fake_rtpengine, Limits(ring_timeout=0.3), tmp_path) as engine:
            call = await talking(engine)
            engine.ari.far_side = RingsForEver()
            engine.calls.control.add_party(call.id, "700")
            await until(lambda: engine.calls.get(call.id).parties[0].state is PartyState.GONE, "its end")
            assert engine.calls.get(call.id).parties[0].outcome is Outcome.NO_ANSWER
            assert engine.calls.get(call.id).state is CallState.UP
            await hang_up_all(engine.calls)


class TestRestart:
    """The process dies; the next one adopts the call as it stood."""

    @pytest.fixture
    def state_dir(self, tmp_path: Path) -> Path:
        return tmp_path

    async def test_a_held_call_is_still_held(
        self, fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, state_dir: Path
    ) -> None:
        async with an_engine(fake_ari, fake_rtpengine, limits, state_dir) as engine:
            call = await talking(engine)
            engine.calls.control.hold(call.id, True)
            await until(lambda: muted(engine, call) and music(engine, call), "hold")
        async with an_engine(fake_ari, fake_rtpengine, limits, state_dir) as engine:
            await until(lambda: engine.calls.get(call.id).milestones, "adopted")
            assert engine.calls.get(call.id).held and music(engine, call) and muted(engine, call)
            engine.calls.control.hold(call.id, False)
            await until(lambda: not muted(engine, call) and not music(engine, call), "no hold")
            await hang_up_all(engine.calls)

    async def test_a_conference_keeps_its_parties(
        self, fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, state_dir: Path
    ) -> None:
        async with an_engine(fake_ari, fake_rtpengine, limits, state_dir) as engine:
            first = await talking(engine)
            second = await talking(engine, "700")
            engine.calls.control.join(first.id, second.id, transfer=False)
            await until(lambda: len(members(engine, first)) == 3, "three")
            await until(lambda: engine.calls.get(second.id).state is CallState.ENDED, "one call")
        async with an_engine(fake_ari, fake_rtpengine, limits, state_dir) as engine:
            await until(lambda: engine.calls.get(first.id).milestones, "adopted")
            await engine.ari.end(f"{second.id}-far")  # its name tells of another call
            await until(lambda: not engine.calls.get(first.id).parties[0].present, "told")
            assert len(members(engine, first)) == 2
            await hang_up_all(engine.calls)
            assert engine.nothing_left()

    @pytest.mark.parametrize("answered", [True, False])
    async def test_a_transfer_goes_on(
        self, fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, state_dir: Path, answered: bool
    ) -> None:
        async with an_engine(fake_ari, fake_rtpengine, limits, state_dir) as engine:
            call = await talking(engine)
            engine.ari.far_side = RingsForEver()
            engine.calls.control.transfer(call.id, "700")
            await until(lambda: engine.ari.count("channels.dial") == 2, "its ringing")
            await until(lambda: music(engine, call), "music")
        if answered:  # while nobody looked
            fake_ari.channels[f"{call.id}-far2"].state = "Up"
        async with an_engine(fake_ari, fake_rtpengine, limits, state_dir) as engine:
            if not answered:
                await until(lambda: engine.calls.get(call.id).milestones, "adopted")
                channel = fake_ari.channels[f"{call.id}-far2"]
                channel.state = "Up"
                await fake_ari.emit("ChannelStateChange", channel=channel.json())
            await until(lambda: set(members(engine, call)) == {f"{call.id}-far", f"{call.id}-far2"}, "the two alone")
            await until(lambda: not music(engine, call), "no music")
            await hang_up_all(engine.calls)
            assert engine.nothing_left()
