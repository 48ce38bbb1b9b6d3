"""The ARI client against a fake Asterisk that can be made to fail."""

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.errors import PeerRefused, PeerTimeout, PeerUnreachable
from ari_bridge.net import RtpAddress
from tests.component.ari.conftest import Events
from tests.fakes.ari import BUSY, FakeAri


async def test_a_call_from_create_to_nothing_left(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await ari.channels.create("far", "PJSIP/1", caller="1001")
    await events.next("StasisStart")
    media = await ari.channels.external_media("media", RtpAddress("127.0.0.1", 21100))
    assert media == RtpAddress("127.0.0.1", 12000)
    await events.next("StasisStart")
    await ari.bridges.create("bridge")
    await ari.bridges.add_channel("bridge", "far")
    await ari.bridges.add_channel("bridge", "media")
    await ari.channels.dial("far", timeout=5)
    await events.next("ChannelStateChange")
    assert (await ari.application())["bridge_ids"] == ["bridge"]
    assert await ari.channels.hangup("far")
    assert await ari.channels.hangup("media")
    assert await ari.bridges.destroy("bridge")
    assert not pbx.channels and not pbx.bridges


async def test_what_is_gone_is_false(ari: Ari, events: Events) -> None:
    assert not await ari.channels.hangup("nobody")
    assert not await ari.bridges.destroy("nothing")
    assert not await ari.channels.continue_in_dialplan("nobody", variables={"A": "1"})
    assert await ari.channels.get("nobody") is None
    assert await ari.bridges.get("nothing") is None
    assert not await ari.bridges.stop_music("nothing")


async def test_who_is_in_a_bridge(pbx: FakeAri, ari: Ari, events: Events) -> None:
    for name in ("one", "two"):
        await ari.channels.create(name, "PJSIP/1")
        await events.next("StasisStart")
    for bridge in ("first", "second"):
        await ari.bridges.create(bridge)
    await ari.bridges.add_channel("first", "one")
    await ari.bridges.add_channel("first", "two")
    assert [bridge.channels for bridge in await ari.bridges.list()] == [["one", "two"], []]
    await ari.bridges.add_channel("second", "two")  # moves it
    found = await ari.bridges.get("first"), await ari.bridges.get("second")
    assert [bridge.channels for bridge in found if bridge] == [["one"], ["two"]]
    assert await ari.channels.hangup("two")
    assert pbx.bridges == {"first": ["one"], "second": []}
    one = await ari.channels.get("one")
    assert one and one.id == "one"


async def test_a_destroyed_bridge_that_is_still_listed_is_left_out(pbx: FakeAri, ari: Ari, events: Events) -> None:
    for bridge in ("empty", "full", "again"):
        await ari.bridges.create(bridge)
    await ari.channels.create("one", "PJSIP/1")
    await events.next("StasisStart")
    await ari.bridges.add_channel("full", "one")
    assert await ari.bridges.destroy("again")
    pbx.stale_bridges = {"stale": [], "again": []}
    assert [bridge.id for bridge in await ari.bridges.list()] == ["empty", "full"]
    assert pbx.bridges == {"empty": [], "full": ["one"]}, "the probe changes nothing"
    assert not await ari.bridges.destroy("stale")

    pbx.stale_bridges = {"stale": []}
    await ari.bridges.create("again")
    assert [bridge.id for bridge in await ari.bridges.list()] == ["empty", "full", "again"]


async def test_one_that_asterisk_does_not_destroy_is_known_for_stale(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await ari.channels.create("one", "PJSIP/1")
    await events.next("StasisStart")
    await ari.bridges.create("left")
    await ari.bridges.add_channel("left", "one")
    pbx.stale_bridges = {"left": pbx.bridges.pop("left")}
    assert [bridge.id for bridge in await ari.bridges.list()] == ["left"], "it has a member: it is not probed"
    assert not await ari.bridges.destroy("left")
    assert await ari.bridges.list() == []


async def test_music(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await ari.bridges.create("bridge")
    await ari.bridges.start_music("bridge")
    assert pbx.music == {"bridge": "default"}
    await ari.bridges.start_music("bridge", "jazz")
    assert pbx.music == {"bridge": "jazz"}
    assert await ari.bridges.stop_music("bridge")
    assert not await ari.bridges.stop_music("bridge")
    with pytest.raises(PeerRefused, match="Bridge not found"):
        await ari.bridges.start_music("nothing")


async def test_busy_is_told_by_its_cause(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.far_side = BUSY
    await ari.channels.create("far", "PJSIP/1")
    await events.next("StasisStart")
    await ari.channels.dial("far", timeout=5)
    destroyed = await events.next("ChannelDestroyed")
    assert destroyed.raw["cause"] == 17


async def test_a_refusal_carries_status_and_reason(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.refuse["bridges.createWithId"] = 500
    with pytest.raises(PeerRefused, match="refused by the test"):
        await ari.bridges.create("bridge")


async def test_no_answer_is_a_timeout(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.hang.add("bridges.createWithId")
    with pytest.raises(PeerTimeout):
        await ari.bridges.create("bridge")


async def test_an_answer_that_is_not_json_is_a_refusal(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.garble.add("channels.list")
    with pytest.raises(PeerRefused, match="not as documented"):
        await ari.channels.list()


async def test_connects_again_after_the_stream_was_dropped(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await pbx.drop_stream()
    await events.connected()
    await pbx.call_in("phone", "1001")
    started = await events.next("StasisStart")
    assert started.raw["args"] == ["inbound", "1001"]


async def test_malformed_events_do_not_stop_the_stream(pbx: FakeAri, ari: Ari, events: Events) -> None:
    for text in ("{", "[]", '{"type": 3}'):
        await pbx.send_text(text)
    await pbx.emit("StasisStart", channel="no channel")
    broken = await events.next("StasisStart")
    assert broken.raw["channel"] == "no channel"
    await pbx.call_in("phone", "1001")
    await events.next("StasisStart")
    assert pbx.connections == 1


async def test_a_silent_channel_of_a_legacy_asterisk_is_woken(ari: Ari, pbx: FakeAri) -> None:
    pbx.version = "16.28.0"
    pbx.delay["channels.answer"] = 0.1
    events = Events(ari)
    await ari.start()
    await events.connected()
    await pbx.call_in("phone", "1001")
    await ari.channels.answer("phone")
    assert pbx.count("channels.getChannelVar") > 0


async def test_a_wrong_password_is_refused(pbx: FakeAri) -> None:
    ari = Ari(pbx.url, pbx.user, "wrong", "ari-bridge")
    await ari.start()
    with pytest.raises(PeerRefused):
        await ari.info()
    await ari.close()


async def test_before_the_connect_it_is_unreachable(ari: Ari) -> None:
    with pytest.raises(PeerUnreachable):
        await ari.channels.list()
