"""What is held where, what is deleted, and when a browser was heard."""

import asyncio
import time

import pytest

from ari_bridge.errors import PeerRefused, PeerUnreachable
from tests.component.media.conftest import APP, Media, MediaWith, within
from tests.offers import OFFER

FOREIGN = {"another-app:a-em", "a-em", "ari-bridge-2:a-em", "ari-bridge:", "x:ari-bridge:a-em"}


async def test_a_deleted_leg_is_gone_and_deleting_it_again_is_no_error(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    await media.pool.delete("a-em")
    assert not media.legs(0)
    await media.pool.delete("a-em")
    assert not media.lost


async def test_only_ours_are_listed_and_others_are_never_touched(media: Media) -> None:
    for fake in media.fakes:
        fake.sessions |= FOREIGN
    await media.pool.offer("b-em", OFFER)
    assert await media.pool.sessions() == ["b-em"]
    await media.pool.delete("a-em")
    await media.pool.delete("b-em")
    await media.fakes[0].stop()
    await within(2.0, lambda: media.report(0).state == "down")
    media.fakes[0].sessions |= FOREIGN
    await media.fakes[0].start()
    await within(2.0, lambda: media.report(0).takes_calls)
    assert all(fake.sessions == FOREIGN for fake in media.fakes)


async def test_deleting_from_a_dead_node_takes_no_time_and_is_made_up_for(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    media.fakes[0].hang = True
    await within(2.0, lambda: media.lost)
    began = time.monotonic()
    await media.pool.delete("a-em")
    await media.pool.delete("unknown-em")
    assert time.monotonic() - began < 0.05
    assert media.legs(0) == {"a-em"}
    media.fakes[0].hang = False
    await within(2.5, lambda: not media.legs(0), "the clean-up")


async def test_deleting_from_a_node_that_is_dying_ends_with_it(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    media.fakes[0].hang = True
    began = time.monotonic()
    await media.pool.delete("a-em")
    assert time.monotonic() - began < 2.0
    assert not media.lost  # it was let go before
    media.fakes[0].hang = False
    await within(2.5, lambda: not media.legs(0), "the clean-up")


async def test_a_refused_deletion_is_told_and_may_be_tried_again(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    media.fakes[0].refuse.add("delete")
    with pytest.raises(PeerRefused):
        await media.pool.delete("a-em")
    media.fakes[0].refuse.clear()
    await media.pool.delete("a-em")
    assert not media.legs(0)


async def test_a_leg_deleted_while_it_is_being_offered_is_gone_in_the_end(media: Media) -> None:
    for fake in media.fakes:
        fake.delay["offer"] = 0.2
    offering = asyncio.create_task(media.pool.offer("a-em", OFFER))
    await within(1.0, lambda: media.legs(0))
    await media.pool.delete("a-em")
    await offering
    await within(1.0, lambda: not media.legs(0) and not media.legs(1))


async def test_a_leg_deleted_while_its_node_hangs_is_not_offered_elsewhere(media: Media) -> None:
    media.fakes[0].drop["offer"] = 1000
    offering = asyncio.create_task(media.pool.offer("a-em", OFFER))
    await asyncio.sleep(0.1)
    await media.pool.delete("a-em")
    await asyncio.gather(offering, return_exceptions=True)
    assert not media.fakes[1].counts["offer"]


async def test_legs_of_an_earlier_process_are_learned(media: Media) -> None:
    """From a restart on, a leg is found where it is: for its deletion, for its browser, for the loss of its node."""
    media.fakes[1].sessions |= {f"{APP}:old{number}-em" for number in range(3)}
    await media.pool.delete("old0-em")  # before anything was listed
    assert media.legs(1) == {"old1-em", "old2-em"}
    assert await media.pool.sessions() == ["old1-em", "old2-em"]
    await media.pool.delete("old1-em")
    assert not media.fakes[0].counts["query"]
    await media.fakes[1].stop()
    await within(2.0, lambda: media.lost_legs == ["old2-em"], "the loss")


async def test_a_leg_that_rtpengine_let_go_by_itself_is_lost(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    await media.pool.offer("b-em", OFFER)
    media.fakes[0].sessions.clear()
    assert await media.pool.sessions() == ["b-em"]
    assert media.lost_legs == ["a-em"]


async def test_a_leg_on_a_second_node_as_well_is_removed_there(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    media.fakes[1].sessions.add(f"{APP}:a-em")
    assert await media.pool.sessions() == ["a-em"]
    await within(1.5, lambda: not media.legs(1), "the clean-up")
    assert media.legs(0) == {"a-em"} and not media.lost


async def test_nothing_is_listed_of_a_dead_node_and_without_any_node_that_is_said(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    await media.pool.offer("b-em", OFFER)
    await media.fakes[0].stop()
    await within(2.0, lambda: media.lost)
    assert await media.pool.sessions() == ["b-em"]
    await media.fakes[1].stop()
    await within(2.0, lambda: len(media.lost) == 2)
    with pytest.raises(PeerUnreachable):
        await media.pool.sessions()


@pytest.mark.parametrize(("count", "length"), [(1500, 19), (900, 64)])
async def test_more_sessions_than_one_answer_can_hold(media_with: MediaWith, count: int, length: int) -> None:
    """1600 of our names fit into a datagram; of longer ones at least 800 are seen."""
    media = await media_with(1)
    media.fakes[0].sessions |= {f"{APP}:{number:0{length}}-em" for number in range(count)}
    assert len(await media.pool.sessions()) == (count if length == 19 else 800)


async def test_when_a_browser_was_heard(media: Media) -> None:
    assert await media.pool.last_packet_at("a-em") is None  # no such leg
    await media.pool.offer("a-em", OFFER)
    fake = media.holder("a-em")
    assert await media.pool.last_packet_at("a-em") is None  # nothing came yet
    fake.packets[f"{APP}:a-em"] = 5
    heard = await media.pool.last_packet_at("a-em")
    assert heard and abs(heard - time.time()) < 1.0
    await asyncio.sleep(0.2)
    assert await media.pool.last_packet_at("a-em") == heard  # nothing since
    fake.packets[f"{APP}:a-em"] += 10
    later = await media.pool.last_packet_at("a-em")
    assert later and later > heard


async def test_a_browser_of_an_earlier_process_is_heard_wherever_its_leg_is(media: Media) -> None:
    name = f"{APP}:old-em"
    media.fakes[1].sessions.add(name)
    media.fakes[1].packets[name] = 5
    assert await media.pool.last_packet_at("old-em")
