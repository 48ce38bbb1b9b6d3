"""Media legs made ahead of their calls: taken, not used, lost, and nothing of them left."""

import asyncio

import pytest

from ari_bridge.engine import prewarm as warm
from ari_bridge.engine.prewarm import LegDiscarded, LegReady
from ari_bridge.errors import InvalidSdp, TooMany, UnknownCall, WrongState
from ari_bridge.fsm.call import CallState
from ari_bridge.fsm.notifications import MediaReady
from tests.component.conftest import Engine, until
from tests.offers import OFFER


class Page:
    """A page that prepares calls."""

    def __init__(self, engine: Engine, session: str = "page", user: str | None = "alice") -> None:
        self.engine = engine
        self.session = session
        self.user = user
        self.told: list[LegReady | LegDiscarded] = []

    def warm(self, call_id: str, sdp: str = OFFER) -> None:
        self.engine.calls.prepare_media(
            call_id, sdp=sdp, session=self.session, user=self.user, listener=self.told.append
        )

    async def warmed(self, call_id: str) -> str:
        self.warm(call_id)
        await until(lambda: self.told, "a leg")
        told = self.told[-1]
        assert isinstance(told, LegReady) and told.call_id == call_id
        return told.sdp


def offers(engine: Engine) -> int:
    return sum(command["command"] == b"offer" for command in engine.media.commands)


def nothing_stands(engine: Engine) -> bool:
    return not (engine.ari.channels or engine.media.sessions)


async def test_a_call_begins_with_the_leg_that_was_made_ahead(engine: Engine) -> None:
    sdp = await Page(engine).warmed("call1")
    assert not engine.ari.bridges
    call = engine.calls.place(
        target="600", sdp=OFFER, caller="1", user="alice", session="page", call_id="call1", listener=engine.listen
    )
    [first] = [update for update in engine.updates if isinstance(update.what, MediaReady)]
    assert first.call.answer == sdp  # told at once
    await until(lambda: engine.calls.get("call1").state is CallState.UP, "an answer")
    await until(lambda: len(engine.ari.bridges["call1-br"]) == 2, "both in the bridge")
    assert offers(engine) == engine.ari.count("channels.externalMedia") == 1
    engine.calls.hangup(call.id)
    await until(engine.nothing_left, "the end of everything")


async def test_an_incoming_call_is_taken_with_the_leg_of_the_page_that_accepts(engine: Engine) -> None:
    engine.pages.users = frozenset({"alice"})
    await engine.ari.call_in("ast-1", "1001")
    await until(lambda: engine.pages.rung, "ringing pages")
    call_id = engine.pages.rung[0]
    one, other = Page(engine, "one"), Page(engine, "other")
    await one.warmed(call_id)
    await other.warmed(call_id)
    assert len(engine.media.sessions) == 2
    call = engine.calls.accept(call_id, sdp=OFFER, user="alice", session="other", listener=engine.listen)
    await until(lambda: engine.calls.get(call_id).state is CallState.UP, "accepted")
    await until(lambda: len(engine.media.sessions) == 1, "the other page's leg released")
    assert offers(engine) == 2
    engine.calls.renew_media(call_id, sdp=OFFER)
    await until(lambda: offers(engine) == 3 and len(engine.media.sessions) == 1, "a later leg")
    engine.calls.hangup(call.id)
    await until(engine.nothing_left, "the end of everything")


async def test_without_the_same_offer_the_call_begins_as_any_other(engine: Engine) -> None:
    await Page(engine).warmed("call1")
    engine.calls.place(
        target="600",
        sdp=OFFER.replace("s=-", "s=another"),
        caller="1",
        user="alice",
        session="page",
        call_id="call1",
        listener=engine.listen,
    )
    await until(lambda: engine.calls.get("call1").state is CallState.UP, "an answer")
    engine.calls.hangup("call1")
    await until(engine.nothing_left, "the end of everything")


async def test_a_page_has_one_leg_at_a_time(engine: Engine) -> None:
    page = Page(engine)
    await page.warmed("call1")
    page.warm("call2")
    await until(lambda: page.told[-1].call_id == "call2", "the second")
    await until(lambda: len(engine.media.sessions) == len(engine.ari.channels) == 1, "the first one's end")
    engine.calls.discard_media("page")
    await until(lambda: nothing_stands(engine), "the end of both")


async def test_what_is_not_used_is_released(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "UNUSED_TIMEOUT_S", 0.1)
    page = Page(engine)
    page.warm("call1")
    await until(lambda: isinstance(page.told[-1] if page.told else None, LegDiscarded), "told")
    await until(lambda: nothing_stands(engine), "nothing left")


async def test_one_that_is_dropped_while_it_is_made_leaves_nothing(engine: Engine) -> None:
    for operation in ("channels.externalMedia",):
        engine.ari.delay[operation] = 0.1
    page = Page(engine)
    page.warm("call1")
    await until(lambda: engine.media.sessions, "half of it")
    engine.calls.discard_media("page")
    await asyncio.sleep(0.3)
    await until(lambda: nothing_stands(engine), "nothing left")
    assert page.told == []


async def test_a_failure_is_told(engine: Engine) -> None:
    engine.ari.refuse["channels.externalMedia"] = 500
    page = Page(engine)
    page.warm("call1")
    await until(lambda: page.told, "told")
    assert isinstance(page.told[0], LegDiscarded)
    await until(lambda: nothing_stands(engine), "nothing left")


async def test_one_whose_channel_ends_is_no_good_any_more(engine: Engine) -> None:
    page = Page(engine)
    await page.warmed("call1")
    await engine.ari.end("call1-em")
    await until(lambda: isinstance(page.told[-1], LegDiscarded), "told")
    await until(lambda: nothing_stands(engine), "nothing left")


async def test_the_sweep_knows_them(engine: Engine) -> None:
    page = Page(engine)
    await page.warmed("call1")
    for _ in range(3):
        await engine.calls._reconciler.sweep()
    assert engine.media.sessions and engine.ari.channels
    engine.calls.discard_media("page")


async def test_bad_preferences(engine: Engine) -> None:
    page = Page(engine)
    with pytest.raises(InvalidSdp):
        page.warm("call1", "no sdp")
    call = engine.calls.place(target="600", sdp=OFFER, caller="1", user="bob", listener=engine.listen)
    with pytest.raises(UnknownCall):
        page.warm(call.id)
    for number in range(warm.MAX_PREPARED_LEGS_PER_USER):
        Page(engine, f"page{number}").warm(f"call{number}")
    with pytest.raises(TooMany):
        page.warm("call9")
    engine.calls.hangup(call.id)
    await until(lambda: engine.calls.get(call.id).state is CallState.ENDED, "the end")
    with pytest.raises(WrongState):
        page.warm(call.id)
    for number in range(warm.MAX_PREPARED_LEGS_PER_USER):
        engine.calls.discard_media(f"page{number}")
    await until(lambda: nothing_stands(engine), "nothing left")


async def test_a_call_that_comes_too_soon_makes_a_leg_of_its_own(engine: Engine) -> None:
    engine.ari.delay["channels.externalMedia"] = 0.1
    page = Page(engine)
    page.warm("call1")
    await until(lambda: engine.media.sessions, "half of it")
    other = OFFER.replace("s=-", "s=another")
    engine.calls.place(
        target="600", sdp=other, caller="1", user="alice", session="page", call_id="call1", listener=engine.listen
    )
    await until(lambda: engine.calls.get("call1").state is CallState.UP, "an answer")
    await until(lambda: set(engine.ari.bridges["call1-br"]) == {"call1-far", "call1-em2"}, "its own leg")
    await until(lambda: "call1-em" not in engine.ari.channels and len(engine.media.sessions) == 1, "no other leg")
    engine.calls.hangup("call1")
    await until(engine.nothing_left, "the end of everything")
