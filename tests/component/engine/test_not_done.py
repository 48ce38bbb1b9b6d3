"""Nothing is told as done that Asterisk has refused; and no call is begun where it does not let us in."""

from pathlib import Path

import pytest

from ari_bridge.engine.limits import Limits
from ari_bridge.errors import Unavailable
from ari_bridge.fsm.call import CallState, PartyState, RecordingStatus
from ari_bridge.fsm.events import RecordingVerb
from ari_bridge.fsm.notifications import HoldChanged, RecordingChanged, RequestRefused, StateChanged
from ari_bridge.outcomes import Detail, Outcome
from tests.component.conftest import Engine, an_engine, until
from tests.component.engine.test_parties import music, muted, nothing_is_left, talking
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER


def refused(engine: Engine) -> list[str]:
    return [update.what.what for update in engine.updates if isinstance(update.what, RequestRefused)]


def details(engine: Engine) -> list[Detail | None]:
    """With each time that the call was told as ended."""
    told = [update.call for update in engine.updates if isinstance(update.what, StateChanged)]
    return [call.cause.detail for call in told if call.outcome and call.cause]


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_a_hold_that_is_refused_is_not_told_as_held(engine: Engine, status: int) -> None:
    call = await talking(engine)
    engine.ari.refuse["channels.mute"] = status
    engine.calls.control.hold(call.id, True)
    await until(lambda: refused(engine) == ["hold"])
    assert [update.call.held for update in engine.updates if isinstance(update.what, HoldChanged)] == [False]
    assert not engine.calls.get(call.id).held
    assert not muted(engine, call) and not music(engine, call)


async def test_who_cannot_be_taken_back_is_still_on_hold(engine: Engine) -> None:
    call = await talking(engine)
    engine.calls.control.hold(call.id, True)
    await until(lambda: muted(engine, call) and music(engine, call))
    engine.ari.refuse["channels.unmute"] = 500
    engine.calls.control.hold(call.id, False)
    await until(lambda: refused(engine) == ["hold"])
    assert engine.calls.get(call.id).held
    await until(lambda: music(engine, call))
    del engine.ari.refuse["channels.unmute"]
    engine.calls.control.hold(call.id, False)
    await until(lambda: not muted(engine, call) and not music(engine, call))


async def test_tones_that_are_refused_are_told(engine: Engine) -> None:
    call = await talking(engine)
    engine.ari.refuse["channels.sendDTMF"] = 401
    engine.calls.control.send_dtmf(call.id, "1")
    await until(lambda: refused(engine) == ["digits"])


@pytest.mark.parametrize(
    ("operation", "verb", "before"),
    [
        ("recordings.pause", RecordingVerb.PAUSE, RecordingStatus.ON),
        ("recordings.stop", RecordingVerb.STOP, RecordingStatus.ON),
    ],
)
async def test_a_recording_that_does_not_do_as_it_is_told_goes_on(
    engine: Engine, operation: str, verb: RecordingVerb, before: RecordingStatus
) -> None:
    call = await talking(engine)
    engine.calls.control.record(call.id, RecordingVerb.START)
    await until(lambda: any(isinstance(update.what, RecordingChanged) for update in engine.updates))
    engine.ari.refuse[operation] = 401
    engine.calls.control.record(call.id, verb)
    await until(lambda: refused(engine) == ["record"])
    told = [update.call.recording for update in engine.updates if isinstance(update.what, RecordingChanged)]
    assert [one.state for one in told if one] == [RecordingStatus.ON, before]


async def test_a_transfer_that_is_refused_is_told_for_what_it_is(engine: Engine) -> None:
    call = await talking(engine)
    engine.ari.refuse["channels.create"] = 401
    engine.calls.control.transfer(call.id, "700")
    await until(lambda: engine.calls.get(call.id).parties[0].state is PartyState.GONE)
    [party] = engine.calls.get(call.id).parties
    assert (party.outcome, party.detail) == (Outcome.FAILED_PBX, Detail.PBX_REFUSES)


async def test_a_transfer_whose_far_side_cannot_be_parked_comes_to_nothing(engine: Engine) -> None:
    call = await talking(engine)
    engine.ari.refuse["channels.mute"] = 500
    engine.calls.control.transfer(call.id, "700")
    await until(lambda: engine.calls.get(call.id).parties[0].state is PartyState.GONE)
    assert engine.calls.get(call.id).state is CallState.UP
    assert engine.calls.get(call.id).parties[0].detail is Detail.PBX_REFUSES


async def test_a_hang_up_is_tried_until_it_works_and_told_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_bridge.engine.call_task.RELEASE_RETRY_INTERVALS_S", (0.01,))
    call = await talking(engine)
    engine.ari.refuse["channels.hangup"] = 401
    engine.calls.hangup(call.id)
    await until(lambda: Detail.STILL_CONNECTED in details(engine))
    await until(lambda: engine.ari.count("channels.hangup") > 12, "more than a few tries")
    assert not engine.nothing_left()
    del engine.ari.refuse["channels.hangup"]
    await until(lambda: details(engine)[-1] is None, "the end without a but")
    await nothing_is_left(engine)


async def test_who_is_not_let_in_begins_no_calls_until_it_is(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ari_bridge.ari.rest.DENIED_RETRY_INTERVAL_S", 0.05)
    call = await talking(engine)
    engine.ari.refuse["channels.sendDTMF"] = engine.ari.refuse["asterisk.getInfo"] = 401
    engine.calls.control.send_dtmf(call.id, "1")
    await until(lambda: engine.client.unavailable())
    with pytest.raises(Unavailable, match="refuses") as caught:
        engine.calls.place(target="600", sdp=OFFER, caller="1001")
    assert caught.value.detail is Detail.PBX_REFUSES
    engine.ari.refuse.clear()
    await until(lambda: engine.client.unavailable() is None)
    engine.calls.hangup(call.id)
    await nothing_is_left(engine)


async def test_a_set_up_that_is_refused_by_the_pbx_says_so(engine: Engine) -> None:
    engine.ari.refuse["channels.externalMedia"] = 500
    call = engine.calls.place(target="600", sdp=OFFER, caller="1001", listener=engine.listen)
    await until(lambda: engine.calls.get(call.id).outcome)
    cause = engine.calls.get(call.id).cause
    assert engine.calls.get(call.id).outcome is Outcome.FAILED_PBX
    assert cause and cause.detail is Detail.PBX_REFUSES
    engine.ari.refuse.clear()
    await nothing_is_left(engine)


async def test_the_next_process_goes_on_letting_go_of_who_is_still_on_the_line(
    fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_bridge.engine.call_task.RELEASE_RETRY_INTERVALS_S", (0.02,))
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as engine:
        call = await talking(engine)
        fake_ari.refuse["channels.hangup"] = 403
        engine.calls.hangup(call.id)
        await until(lambda: Detail.STILL_CONNECTED in details(engine))
    tries = fake_ari.count("channels.hangup")
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as engine:
        await until(lambda: fake_ari.count("channels.hangup") > tries + 6, "more tries")
        del fake_ari.refuse["channels.hangup"]
        await nothing_is_left(engine)
