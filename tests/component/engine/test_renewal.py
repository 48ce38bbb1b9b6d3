"""A call outlives its media leg and its page."""

import asyncio

import pytest

from ari_bridge.engine.limits import Limits
from ari_bridge.errors import InvalidSdp, WrongState
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.notifications import MediaNeeded, MediaReady
from ari_bridge.outcomes import Outcome
from tests.component.conftest import Engine, until
from tests.component.engine.test_calls import arrive, gone, place
from tests.fakes.ari import RingsForEver
from tests.offers import OFFER


async def talking(engine: Engine) -> Call:
    call = place(engine, user="1001")
    await until(lambda: engine.calls.get(call.id).state is CallState.UP and members(engine, call) == {"far", "em"})
    return engine.calls.get(call.id)


def members(engine: Engine, call: Call) -> set[str]:
    return {name.removeprefix(f"{call.id}-") for name in engine.ari.bridges.get(f"{call.id}-br", [])}


def sessions(engine: Engine, call: Call) -> set[str]:
    return {name.removeprefix(f"ari-bridge:{call.id}-") for name in engine.media.sessions}


def answers(engine: Engine) -> int:
    return sum(isinstance(update.what, MediaReady) for update in engine.updates)


async def talk(engine: Engine, session: str) -> None:
    """The browser's packets."""
    while True:
        engine.media.packets[session] += 1
        await asyncio.sleep(0.02)


async def test_a_new_offer_puts_a_new_leg_in_place_of_the_old_one(engine: Engine) -> None:
    call = await talking(engine)
    engine.calls.renew_media(call.id, sdp=OFFER, session="another page")
    await until(lambda: members(engine, call) == {"far", "em2"}, "the swap")
    await until(lambda: sessions(engine, call) == {"em2"}, "the old session's end")
    assert answers(engine) == 2
    assert engine.calls.get(call.id).session == "another page"
    assert engine.states().count("accepted") == 1
    engine.calls.hangup(call.id)
    assert (await gone(engine, call.id)).outcome is Outcome.COMPLETED


async def test_offers_one_after_the_other_leave_one_leg(engine: Engine) -> None:
    call = await talking(engine)
    for _ in range(4):
        engine.calls.renew_media(call.id, sdp=OFFER)
    await until(lambda: members(engine, call) == {"far", "em5"}, "the last leg alone")
    await until(lambda: sessions(engine, call) == {"em5"}, "its session alone")
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_a_page_that_offers_without_end_is_told_to_wait(engine: Engine) -> None:
    call = await talking(engine)
    engine.ari.delay["channels.externalMedia"] = 0.2
    with pytest.raises(WrongState, match="already"):
        for _ in range(20):
            engine.calls.renew_media(call.id, sdp=OFFER)
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_a_call_can_be_renewed_while_it_rings(engine: Engine) -> None:
    call = place(engine, RingsForEver())
    await until(lambda: engine.calls.get(call.id).state is CallState.RINGING)
    engine.calls.renew_media(call.id, sdp=OFFER)
    await until(lambda: members(engine, call) == {"far", "em2"}, "the swap")
    assert engine.calls.get(call.id).state is CallState.RINGING
    engine.calls.hangup(call.id)
    assert (await gone(engine, call.id)).outcome is Outcome.CANCELLED


async def test_what_cannot_be_renewed_is_refused_and_harms_nothing(engine: Engine) -> None:
    call = await talking(engine)
    with pytest.raises(InvalidSdp):
        engine.calls.renew_media(call.id, sdp="v=0\r\n")
    assert members(engine, call) == {"far", "em"}
    waiting = await arrive(engine, {"1001"})
    with pytest.raises(WrongState, match="rings"):
        engine.calls.renew_media(waiting.id, sdp=OFFER)


async def test_a_dead_rtpengine_makes_the_page_offer_again(engine: Engine) -> None:
    call = await talking(engine)
    await engine.media.stop()
    await until(lambda: any(isinstance(update.what, MediaNeeded) for update in engine.updates), "media-lost")
    assert engine.calls.get(call.id).state is CallState.UP
    engine.media.sessions.clear()
    await engine.media.start()
    engine.calls.renew_media(call.id, sdp=OFFER)
    await until(lambda: members(engine, call) == {"far", "em2"}, "the swap")
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_a_media_channel_that_dies_does_not_end_the_call(engine: Engine) -> None:
    call = await talking(engine)
    await engine.ari.end(f"{call.id}-em")
    await until(lambda: engine.calls.get(call.id).media_lost, "media lost")
    engine.calls.renew_media(call.id, sdp=OFFER)
    await until(lambda: members(engine, call) == {"far", "em2"}, "the swap")
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_a_renewal_that_fails_leaves_the_call_and_asks_again(engine: Engine) -> None:
    call = await talking(engine)
    engine.ari.refuse["channels.externalMedia"] = 409
    engine.calls.renew_media(call.id, sdp=OFFER)
    await until(lambda: any(isinstance(update.what, MediaNeeded) for update in engine.updates), "media-lost")
    engine.ari.refuse.clear()
    engine.calls.renew_media(call.id, sdp=OFFER)
    await until(lambda: members(engine, call) == {"far", "em3"}, "the swap")
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_where_no_channel_is_made_the_next_offer_goes_to_the_leg_that_stands(engine: Engine) -> None:
    call = await talking(engine)
    engine.ari.refuse["channels.externalMedia"] = 500
    for _ in range(2):
        engine.updates.clear()
        engine.calls.renew_media(call.id, sdp=OFFER)
        await until(lambda: any(isinstance(update.what, MediaNeeded) for update in engine.updates), "media-lost")
        engine.calls.renew_media(call.id, sdp=OFFER)
        await until(lambda: any(isinstance(update.what, MediaReady) for update in engine.updates), "the answer")
        assert members(engine, call) == {"far", "em"}
        assert engine.calls.get(call.id).state is CallState.UP
    engine.ari.refuse.clear()
    engine.calls.renew_media(call.id, sdp=OFFER)
    await until(lambda: members(engine, call) not in ({"far", "em"}, {"far"}), "the swap")
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


class TestShortGrace:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(grace=0.2, pbx_grace=0.2)

    async def test_lost_media_that_nobody_renews_ends_the_call(self, engine: Engine) -> None:
        call = await talking(engine)
        await engine.ari.end(f"{call.id}-em")
        assert (await gone(engine, call.id)).outcome is Outcome.FAILED_MEDIA

    async def test_a_page_that_comes_back_keeps_its_call(self, engine: Engine) -> None:
        call = place(engine, RingsForEver())
        await until(lambda: engine.calls.get(call.id).state is CallState.RINGING)
        engine.calls.detach(call.id, engine.listen)
        engine.calls.attach(call.id, engine.listen)
        await until(lambda: engine.ari.count("bridges.addChannel") == 2)
        engine.ari.channels[f"{call.id}-far"].state = "Up"
        await engine.ari.emit("ChannelStateChange", channel=engine.ari.channels[f"{call.id}-far"].json())
        await until(lambda: engine.calls.get(call.id).state is CallState.UP)
        engine.calls.hangup(call.id)
        await gone(engine, call.id)

    async def test_a_page_that_stays_away_ends_a_call_that_rings(self, engine: Engine) -> None:
        call = place(engine, RingsForEver())
        await until(lambda: engine.calls.get(call.id).state is CallState.RINGING)
        engine.calls.detach(call.id, engine.listen)
        assert (await gone(engine, call.id)).outcome is Outcome.LOST

    async def test_a_silent_page_that_stays_away_gives_music_and_then_the_end(self, engine: Engine) -> None:
        call = await talking(engine)
        engine.calls.detach(call.id, engine.listen)
        await until(lambda: engine.ari.count("bridges.startMoh"), "music")
        assert (await gone(engine, call.id)).outcome is Outcome.LOST
        assert engine.ari.count("bridges.startMoh") == engine.ari.count("bridges.stopMoh") == 1

    async def test_a_page_that_is_cut_off_but_still_talks_keeps_its_call(self, engine: Engine) -> None:
        call = await talking(engine)
        voice = asyncio.create_task(talk(engine, f"ari-bridge:{call.id}-em"))
        engine.calls.detach(call.id, engine.listen)
        await until(lambda: engine.media.counts["query"] >= 3, "three looks")
        assert engine.calls.get(call.id).state is CallState.UP
        assert not engine.ari.count("bridges.startMoh")
        voice.cancel()
        engine.calls.hangup(call.id)
        await gone(engine, call.id)

    async def test_a_pbx_that_stays_away_ends_its_calls(self, engine: Engine) -> None:
        call = await talking(engine)
        await engine.ari.stop()
        await until(lambda: not engine.calls.get(call.id).state.live, "the end")
        assert engine.calls.get(call.id).outcome is Outcome.FAILED_PBX
        await engine.ari.start()
        await gone(engine, call.id)


class TestLongGrace:
    @pytest.fixture
    def limits(self) -> Limits:
        """So that an end is not due to the grace, which may be over before the event stream is back."""
        return Limits(pbx_grace=60.0)

    async def test_a_pbx_that_was_restarted_ends_its_calls_at_once(self, engine: Engine) -> None:
        call = await talking(engine)
        await engine.ari.restart()
        assert (await gone(engine, call.id)).outcome is Outcome.FAILED_PBX
        again = await talking(engine)
        engine.calls.hangup(again.id)
        await gone(engine, again.id)
