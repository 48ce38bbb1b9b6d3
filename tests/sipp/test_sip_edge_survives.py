"""A call by the SIP edge outlives the edge, and an rtpengine; a dead rtpengine holds up nobody."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.real.opus_peer import OpusPeer
from tests.real.sip_client import OPUS_OFFER
from tests.real.sip_edge import EdgeSite, edge_site
from tests.sipp.edge_phones import MILLIWATT, client, nothing_left, sessions

pytestmark = pytest.mark.real


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeSite]:
    """Its own for each test: parts are killed."""
    with edge_site(tmp_path_factory.mktemp("edge")) as running:
        yield running


async def restart(site: EdgeSite) -> None:
    """Kills the edge and starts it again."""
    await asyncio.to_thread(site.edge.stop)
    await asyncio.to_thread(site.edge.start)


async def test_a_restart_of_the_edge_in_a_call_is_not_heard(site: EdgeSite) -> None:
    async with OpusPeer(440.0) as peer, client(site) as phone:
        offer = OPUS_OFFER.format(port=peer.port, version=1)
        dialog, answer = await phone.call("601", body=offer)
        peer.speak(("127.0.0.1", answer.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        await restart(site)
        peer.forget()
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        again = await phone.ask("INVITE", dialog, body=offer.replace("1 1 IN", "1 2 IN"))
        assert again.status == 200, again.text
        assert (await phone.ask("BYE", dialog)).status == 200
    await nothing_left(site)


async def test_asterisk_hangs_up_after_a_restart_of_the_edge(site: EdgeSite) -> None:
    async with OpusPeer(440.0) as peer, client(site) as phone:
        _, answer = await phone.call("601", body=OPUS_OFFER.format(port=peer.port, version=1))
        assert answer.status == 200
        await restart(site)
        await asyncio.to_thread(site.pbx.asterisk.cli, "channel request hangup all")
        phone.answer(await phone.request_from_far("BYE"), 200, "OK")
    await nothing_left(site)


async def test_a_re_invite_finds_another_rtpengine_when_its_own_has_died(site: EdgeSite) -> None:
    async with OpusPeer(440.0) as peer, client(site) as phone:
        offer = OPUS_OFFER.format(port=peer.port, version=1)
        dialog, answer = await phone.call("601", body=offer)
        peer.speak(("127.0.0.1", answer.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        holders = [each for each in site.rtpengines if await sessions(each)]
        assert len(holders) == 1
        await asyncio.to_thread(holders[0].stop)
        again = await phone.ask("INVITE", dialog, body=offer.replace("1 1 IN", "1 2 IN"))
        assert again.status == 200, again.text
        assert again.media_port != answer.media_port
        peer.forget()
        peer.speak(("127.0.0.1", again.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        await phone.ask("BYE", dialog)
    await nothing_left(site)


async def test_a_dead_rtpengine_holds_up_nobody(site: EdgeSite) -> None:
    """Calls by the dozen end and begin while one of the two is dead: none is refused, and none hangs."""

    async def one(number: int) -> None:
        async with client(site, user=f"100{number % 9 + 1}") as phone:
            body = OPUS_OFFER.format(port=9, version=1)
            dialog, answer = await phone.call("600", body=body)
            assert answer.status == 200, answer.text
            if number == 0:
                await asyncio.to_thread(site.rtpengines[0].stop)
            assert (await phone.ask("BYE", dialog, seconds=3.0)).status == 200

    await one(0)
    for _ in range(4):
        await asyncio.gather(*(one(number) for number in range(1, 13)))
    async with client(site) as anybody:
        options = await anybody.ask("OPTIONS", anybody.new_dialog(f"sip:127.0.0.1:{site.port}"), seconds=1.0)
        assert options.status == 200
    await nothing_left(site)


async def test_known_users_call_while_the_front_end_is_away(site: EdgeSite) -> None:
    async with client(site) as phone:
        assert (await phone.register()).status == 200
        site.users.stop()
        await asyncio.sleep(0)
        dialog, answer = await phone.call("600", body=OPUS_OFFER.format(port=9, version=1))
        assert answer.status == 200
        await phone.ask("BYE", dialog)
    async with client(site, user="1005") as stranger:
        async with asyncio.timeout(10):
            while True:
                # Its state is looked at every second.
                _, answer = await stranger.call("600", body=OPUS_OFFER.format(port=9, version=1))
                if answer.status == 503:
                    break
        assert answer.header("Retry-After")
