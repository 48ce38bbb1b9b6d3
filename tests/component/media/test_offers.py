"""Which rtpengine takes a new leg, and what happens where it does not."""

import asyncio
import time

import pytest

from ari_bridge.errors import PeerRefused, PeerTimeout, PeerUnreachable
from ari_bridge.media.node_health import MAX_FAILURES
from tests.component.media.conftest import APP, ASTERISK, Media, MediaWith, within
from tests.offers import OFFER


async def offer(media: Media, count: int, word: str = "call") -> None:
    for number in range(count):
        await media.pool.offer(f"{word}{number}-em", OFFER)


async def test_legs_spread_by_weight(media_with: MediaWith) -> None:
    media = await media_with(3, weights=(1, 2, 3))
    await offer(media, 12)
    assert [len(media.legs(number)) for number in range(3)] == [2, 4, 6]


async def test_legs_spread_while_none_is_answered_yet(media: Media) -> None:
    for fake in media.fakes:
        fake.delay["offer"] = 0.1
    await asyncio.gather(*(media.pool.offer(f"call{number}-em", OFFER) for number in range(10)))
    assert [len(media.legs(number)) for number in range(2)] == [5, 5]


async def test_what_others_have_on_a_node_counts(media_with: MediaWith) -> None:
    media = await media_with(2, down=1)
    media.fakes[1].foreign = 10
    await media.fakes[1].start()
    await within(3.0, lambda: media.fakes[1].counts["statistics"])
    await within(3.0, lambda: media.report(1).takes_calls)
    await asyncio.sleep(0.05)
    await offer(media, 6)
    assert len(media.legs(0)) == 6


async def test_a_refused_offer_goes_to_the_next_node(media: Media) -> None:
    media.fakes[0].refuse.add("offer")
    await media.pool.offer("a-em", OFFER)
    assert media.legs(1) == {"a-em"}
    assert (await media.pool.answer("a-em", ASTERISK)).startswith("v=0")


async def test_an_offer_without_an_answer_goes_to_the_next_node_and_leaves_nothing(media: Media) -> None:
    """The first one has made a session all the same."""
    media.fakes[0].delay["offer"] = 2.0
    began = time.monotonic()
    await media.pool.offer("a-em", OFFER)
    assert time.monotonic() - began < 1.2
    assert media.legs(1) == {"a-em"}
    await within(2.0, lambda: not media.legs(0), "the clean-up")
    assert await media.pool.sessions() == ["a-em"]
    assert not media.lost


async def test_only_the_first_offers_wait_for_a_node_that_went_silent(media: Media) -> None:
    media.fakes[0].hang = True
    await media.pool.offer("a-em", OFFER)
    began = time.monotonic()
    await offer(media, 20)
    assert time.monotonic() - began < 0.7
    assert len(media.legs(1)) == 21


async def test_an_offer_to_a_node_that_has_just_died_goes_on_at_once(media: Media) -> None:
    await media.fakes[0].stop()
    began = time.monotonic()
    await media.pool.offer("a-em", OFFER)
    assert time.monotonic() - began < 0.2
    assert media.legs(1) == {"a-em"}
    assert media.report(0).state == "down" and not media.lost


async def test_an_offer_that_every_node_refuses_is_refused(media: Media) -> None:
    for fake in media.fakes:
        fake.refuse.add("offer")
    with pytest.raises(PeerRefused):
        await media.pool.offer("a-em", OFFER)
    for fake in media.fakes:
        fake.refuse.clear()
    await offer(media, 4)  # it was the offer's fault: no node is shunned for it
    assert [len(media.legs(number)) for number in range(2)] == [2, 2]


async def test_an_offer_ends_in_time_however_many_nodes_hang(media_with: MediaWith) -> None:
    media = await media_with(6, seconds=1.0)
    for fake in media.fakes:
        fake.drop["offer"] = 1000
    began = time.monotonic()
    with pytest.raises(PeerTimeout):
        await media.pool.offer("a-em", OFFER)
    assert time.monotonic() - began < 1.2


async def test_a_node_whose_offers_fail_is_left_alone_although_it_answers_pings(media: Media) -> None:
    media.fakes[0].refuse.add("offer")
    for number in range(MAX_FAILURES):
        await media.pool.offer(f"a{number}-em", OFFER)
        await media.pool.delete(f"a{number}-em")
    asked = media.fakes[0].counts["offer"]
    assert asked == MAX_FAILURES
    await offer(media, 5)
    assert media.fakes[0].counts["offer"] == asked
    assert media.report(0).state == "up" and media.report(0).reason


async def test_a_lone_node_is_tried_although_it_is_down(media_with: MediaWith) -> None:
    media = await media_with(1, down=1)
    with pytest.raises(PeerUnreachable):
        await media.pool.offer("a-em", OFFER)
    await media.fakes[0].start()
    await media.pool.offer("b-em", OFFER)
    assert media.legs(0) == {"b-em"}
    assert media.report(0).takes_calls
    await media.fakes[0].stop()
    await within(2.0, lambda: media.lost_legs == ["b-em"], "the loss")


async def test_a_drained_node_gets_no_new_calls_and_keeps_the_old_ones(media: Media) -> None:
    await offer(media, 4)
    media.drain(0)
    assert media.report(0).state == "draining" and not media.report(0).takes_calls
    await offer(media, 4, "later")
    assert [len(media.legs(number)) for number in range(2)] == [2, 6]
    for leg in sorted(media.legs(0)):
        assert await media.pool.answer(leg, ASTERISK)
        await media.pool.delete(leg)
    assert not media.legs(0) and not media.lost
    media.drain(0, False)
    await offer(media, 4, "last")
    assert len(media.legs(0)) == 4


async def test_where_all_are_drained_there_are_no_new_calls(media: Media) -> None:
    for number in range(len(media.fakes)):
        media.drain(number)
    with pytest.raises(PeerUnreachable, match="drained"):
        await media.pool.offer("a-em", OFFER)


async def test_an_offer_made_anew_stays_on_its_node(media: Media) -> None:
    await offer(media, 3)
    holder = media.holder("call1-em")
    await media.pool.offer("call1-em", OFFER)
    assert media.holder("call1-em") is holder
    assert f"{APP}:call1-em" in holder.sessions


async def test_an_offer_too_large_for_a_datagram_is_refused_and_harms_nobody(media: Media) -> None:
    await offer(media, 2)
    with pytest.raises(PeerRefused, match="datagram"):
        await media.pool.offer("large-em", OFFER + "a=x:y\r\n" * 10_000)
    await asyncio.sleep(0.6)
    assert not media.lost and all(report.takes_calls for report in media.pool.reports())
