"""An rtpengine dies, hangs, restarts or comes back: its legs are told to be lost in time, and nothing is left on it."""

import asyncio

import pytest

from ari_bridge.errors import PeerUnreachable
from tests.component.media.conftest import APP, ASTERISK, Media, MediaWith, within
from tests.offers import OFFER

DEATH_SECONDS = 2.0
"""Within which a dead node is found, whatever it died of."""


async def offered(media: Media, count: int) -> list[str]:
    legs = [f"call{number}-em" for number in range(count)]
    for leg in legs:
        await media.pool.offer(leg, OFFER)
        await media.pool.answer(leg, ASTERISK)
    return legs


async def test_a_silent_node(media: Media) -> None:
    await offered(media, 4)
    first, second = media.legs(0), media.legs(1)
    assert len(first) == len(second) == 2
    media.fakes[0].hang = True
    await within(DEATH_SECONDS, lambda: media.lost, "the loss")
    assert media.lost_legs == sorted(first)
    assert media.report(0).state == "down" and media.report(1).state == "up"
    assert media.fakes[0].address in media.lost[0][1]


async def test_a_killed_node_is_found_with_the_next_ping(media: Media) -> None:
    await offered(media, 4)
    legs = media.legs(1)
    await media.fakes[1].stop()
    await within(0.8, lambda: media.lost, "the loss")
    assert media.lost_legs == sorted(legs)


async def test_a_killed_node_is_found_at_once_by_a_command(media: Media) -> None:
    await offered(media, 2)
    [leg] = media.legs(0)
    await media.fakes[0].stop()
    await media.pool.delete(leg)  # finds nobody there
    assert media.report(0).state == "down"


async def test_a_node_that_was_restarted_between_two_pings_has_lost_its_legs(media: Media) -> None:
    legs = await offered(media, 6)
    gone = media.legs(0)
    media.fakes[0].restart()
    await within(DEATH_SECONDS, lambda: len(media.lost_legs) == 3, "the loss")
    assert media.lost_legs == sorted(gone)
    assert media.report(0).state == "up"
    await asyncio.sleep(0.6)
    assert len(media.lost_legs) == 3  # each is told once
    assert sorted(await media.pool.sessions()) == sorted(set(legs) - gone)


async def test_a_node_that_was_out_of_reach_is_cleaned_of_the_calls_that_have_moved(media: Media) -> None:
    await offered(media, 4)
    hung, moved = media.fakes[0], media.legs(0)
    hung.sessions.add("another-app:call0-em")
    hung.hang = True
    await within(DEATH_SECONDS, lambda: media.lost, "the loss")
    for leg in moved:
        await media.pool.offer(f"{leg}2", OFFER)
    assert {f"{leg}2" for leg in moved} <= media.legs(1)
    hung.hang = False
    await within(2.5, lambda: hung.sessions == {"another-app:call0-em"}, "the clean-up")
    await within(2.5, lambda: media.report(0).state == "up", "up")
    assert media.lost_legs == sorted(moved)
    assert len(media.legs(1)) == 4


async def test_a_node_that_is_back_takes_calls_again(media: Media) -> None:
    await media.fakes[0].stop()
    await within(DEATH_SECONDS, lambda: media.report(0).state == "down")
    for number in range(2):
        await media.pool.offer(f"early{number}-em", OFFER)
    assert len(media.legs(1)) == 2
    await media.fakes[0].start()
    await within(2.0, lambda: media.report(0).state == "up")
    await media.pool.offer("late-em", OFFER)
    assert media.legs(0) == {"late-em"}


async def test_commands_under_way_fail_the_moment_the_node_is_known_to_be_dead(media: Media) -> None:
    await offered(media, 2)
    [leg] = media.legs(0)
    await asyncio.sleep(0.1)
    media.fakes[0].hang = True
    with pytest.raises(PeerUnreachable):
        async with asyncio.timeout(DEATH_SECONDS):
            await media.pool.last_packet_at(leg)
    with pytest.raises(PeerUnreachable):
        await media.pool.answer(leg, ASTERISK)


async def test_a_single_lost_ping_is_no_death(media: Media) -> None:
    await offered(media, 2)
    media.fakes[0].drop["ping"] = 3  # one ping, and its repetitions
    await within(1.5, lambda: not media.fakes[0].drop["ping"])
    await asyncio.sleep(0.3)
    assert media.report(0).state == "up" and not media.lost


async def test_a_slow_node_is_no_dead_node(media: Media) -> None:
    await offered(media, 2)
    media.fakes[0].delay["ping"] = 0.7  # later than a ping may take
    await asyncio.sleep(2.2)
    assert media.report(0).state == "up" and not media.lost


async def test_a_listener_that_fails_does_not_keep_the_loss_from_others(media: Media) -> None:
    def broken(legs: frozenset[str], reason: str) -> None:
        raise RuntimeError("broken")

    media.pool.on_lost(broken)
    later: list[frozenset[str]] = []
    media.pool.on_lost(lambda legs, reason: later.append(legs))
    await offered(media, 1)
    await media.fakes[0].stop()
    await within(DEATH_SECONDS, lambda: later)
    assert later == [frozenset({"call0-em"})]


async def test_a_start_without_any_node_is_quick_and_they_may_come_later(media_with: MediaWith) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    media = await media_with(2, down=2)
    assert loop.time() - began < 0.5
    assert [report.state for report in media.pool.reports()] == ["down", "down"]
    for fake in media.fakes:
        await fake.start()
    await within(2.0, lambda: all(report.takes_calls for report in media.pool.reports()))
    assert f"{APP}:x" not in media.fakes[0].sessions
