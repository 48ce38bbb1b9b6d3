"""Which codec the rtpengines are told to give a leg."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from ari_bridge import metrics
from ari_bridge.media import sdp
from ari_bridge.media.bencode import Value
from ari_bridge.media.codec_policy import CodecMode, CodecPolicy, OpusOptions
from tests.component.media.conftest import APP, ASTERISK, Media, MediaWith, within
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER


def transcodes(command: dict[str, Value]) -> bool:
    codec = command["codec"]
    assert isinstance(codec, dict)
    strip = codec["strip"]
    assert isinstance(strip, list)
    assert ("transcode" in codec) != (b"opus" in strip)
    return "transcode" in codec


def offered(fake: FakeRtpengine) -> list[bool]:
    """Of each offer, whether it is to be transcoded."""
    return [transcodes(command) for command in fake.commands if command["command"] == b"offer"]


async def test_opus_unless_the_call_asks_for_pcmu(media_with: MediaWith) -> None:
    media = await media_with(1)
    for number, prefer in enumerate(("", "pcmu", "opus")):
        await media.pool.offer(f"a{number}-em", OFFER, prefer)
    assert offered(media.fakes[0]) == [True, False, True]
    assert media.report(0).transcoded == 2


async def test_asterisks_side_is_ipv4_whatever_the_browser_has(media_with: MediaWith) -> None:
    media = await media_with(1)
    await media.pool.offer("a-em", OFFER.replace("IN IP4 0.0.0.0", "IN IP6 ::1"))
    assert media.fakes[0].commands[0]["address-family"] == b"IP4"


async def test_a_call_may_not_ask_for_anything_else(media: Media) -> None:
    with pytest.raises(ValueError, match="g729"):
        await media.pool.offer("a-em", OFFER, "g729")
    assert not media.legs(0) and not media.legs(1)


async def test_a_loaded_node_passes_pcmu_until_it_is_well_below_its_limit(media_with: MediaWith) -> None:
    media = await media_with(1, weights=(2,), policy=CodecPolicy(CodecMode.AUTO, limit=5))
    fake = media.fakes[0]
    for number in range(12):
        await media.pool.offer(f"a{number}-em", OFFER)
    assert offered(fake) == [True] * 10 + [False] * 2
    for number in range(3):
        await media.pool.delete(f"a{number}-em")
    assert media.report(0).transcoded == 7
    await media.pool.offer("b-em", OFFER)
    assert offered(fake)[-1] is True


async def test_what_others_transcode_there_counts(media_with: MediaWith) -> None:
    media = await media_with(1, policy=CodecPolicy(CodecMode.AUTO, limit=5), transcoded=5)
    await within(3.0, lambda: media.report(0).transcoded == 5, "the node's own count")
    await media.pool.offer("a-em", OFFER)
    assert offered(media.fakes[0]) == [False]


@pytest.mark.parametrize(("fec", "dtx"), [(True, False), (False, True)])
async def test_the_answer_tells_the_browsers_encoder(media_with: MediaWith, fec: bool, dtx: bool) -> None:
    media = await media_with(1, policy=CodecPolicy(opus=OpusOptions(fec=fec, dtx=dtx)))
    await media.pool.offer("a-em", OFFER)
    answer = await media.pool.answer("a-em", ASTERISK)
    assert f"a=fmtp:111 useinbandfec={fec:d};usedtx={dtx:d}\r\n" in answer


async def test_late_candidates_go_to_the_node_that_holds_the_leg(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    await media.pool.answer("a-em", ASTERISK)
    more = sdp.with_candidates(OFFER, ["1 1 udp 1 192.0.2.7 5000 typ srflx"], complete=True)
    await media.pool.trickle("a-em", more)
    told = media.holder("a-em").commands[-1]
    assert told["to-tag"] == b"asterisk" and told["call-id"] == f"{APP}:a-em".encode()
    assert transcodes(told)
    assert b"192.0.2.7" in bytes(str(told["sdp"]), "utf-8")
    await media.pool.delete("a-em")
    await media.pool.trickle("a-em", more)  # too late: nobody needs it
    assert not media.legs(0) and not media.legs(1)


async def test_candidates_are_not_told_where_the_browser_was_found(media: Media) -> None:
    await media.pool.offer("a-em", OFFER, "pcmu")
    await media.pool.answer("a-em", ASTERISK)
    holder = media.holder("a-em")
    holder.found.add(f"{APP}:a-em")
    offers = holder.counts["offer"]
    await media.pool.trickle("a-em", OFFER)
    assert holder.counts["offer"] == offers
    holder.found.clear()
    await media.pool.trickle("a-em", OFFER)
    assert holder.counts["offer"] == offers + 1
    assert not transcodes(holder.commands[-1])  # as it was offered


async def test_candidates_for_a_leg_that_is_deleted_meanwhile_leave_nothing(media: Media) -> None:
    await media.pool.offer("a-em", OFFER)
    await media.pool.answer("a-em", ASTERISK)
    holder = media.holder("a-em")
    holder.delay["query"] = 0.2
    late = asyncio.create_task(media.pool.trickle("a-em", OFFER))
    await asyncio.sleep(0.05)
    await media.pool.delete("a-em")
    await late
    await within(3.0, lambda: not holder.sessions, "the clean-up")


async def test_each_choice_is_counted_with_its_reason(media_with: MediaWith) -> None:
    before = count("pcmu", "requested")
    media = await media_with(1)
    await media.pool.offer("a-em", OFFER, "pcmu")
    assert count("pcmu", "requested") == before + 1


def count(codec: str, reason: str) -> float:
    registry: CollectorRegistry = metrics.REGISTRY
    return registry.get_sample_value("media_legs_total", {"codec": codec, "reason": reason}) or 0.0
