"""Phones that register at the SIP edge, are called, and change a call that stands."""

import asyncio

import pytest

from tests.real.opus_peer import OPUS, OpusPeer
from tests.real.rtp import RtpPeer
from tests.real.sip_client import OPUS_OFFER, Dialog, Message, SipClient
from tests.real.sip_edge import EdgeSite
from tests.sipp.edge_phones import MILLIWATT, OURS, client, nothing_left
from tests.sipp.edge_phones import hung_up as hung_up
from tests.sipp.edge_phones import site as site

pytestmark = pytest.mark.real

PCMU_ANSWER = """v=0
o=- 7 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""
OPUS_ANSWER = PCMU_ANSWER.replace("AVP 0\na=rtpmap:0 PCMU/8000", "AVP 111\na=rtpmap:111 opus/48000/2")


def opus_type(offer: str) -> int:
    """The payload type that an offer gives to Opus."""
    return next(int(line[9:].split()[0]) for line in offer.splitlines() if "opus/48000" in line)


def answer_in_opus(offer: str, peer: OpusPeer) -> str:
    """The answer to an offer, by which `peer` speaks."""
    peer.payload_type = opus_type(offer)
    return OPUS_ANSWER.format(port=peer.port).replace("111", str(peer.payload_type))


async def called(phone: SipClient, other: Message) -> Dialog:
    """The dialog of a call that came, as the called phone sees it."""
    dialog = Dialog(other.header("Call-ID"), "far", other.header("Contact").strip("<>"))
    dialog.to, dialog.remote = other.header("From"), other.header("Contact").strip("<>")
    recorded = [each.strip() for value in other.headers["record-route"] for each in value.split(",")]
    dialog.routes, dialog.cseq = recorded, 100
    return dialog


async def test_a_call_rings_every_phone_of_a_user_and_the_first_answer_wins(site: EdgeSite) -> None:
    async with client(site, user="1002") as desk, client(site, "tcp", user="1002") as app, OpusPeer(OURS) as peer:
        assert (await desk.register()).status == (await app.register()).status == 200
        async with client(site, user="1001") as caller, RtpPeer(700.0) as far:
            offer = PCMU_ANSWER.format(port=far.port)
            asking = asyncio.create_task(caller.call("911002", body=offer))
            at_desk, at_app = await desk.request_from_far("INVITE"), await app.request_from_far("INVITE")
            for phone, invite in ((desk, at_desk), (app, at_app)):
                phone.answer(invite, 180, "Ringing", tag=phone.user + str(phone.port))
                assert "PCMU/8000" in invite.body
                assert opus_type(invite.body)
            app.answer(at_app, 200, "OK", body=answer_in_opus(at_app.body, peer), tag="app")
            await desk.request_from_far("CANCEL")
            dialog, answer = await asking
            assert answer.status == 200, answer.text
            peer.speak(("127.0.0.1", at_app.media_port))
            far.speak(("127.0.0.1", answer.media_port))
            await (await peer.stream()).heard.wait_for_tone(700.0)
            await (await far.stream()).heard.wait_for_tone(OURS)
            await caller.ask("BYE", dialog)
            app.answer(await app.request_from_far("BYE"), 200, "OK")
    await nothing_left(site)


async def test_nobody_registered_is_told_at_once(site: EdgeSite) -> None:
    async with client(site) as caller:
        _, answer = await caller.call("911009", body=OPUS_OFFER.format(port=9, version=1))
    assert answer.status == 480
    await nothing_left(site)


async def test_hold_and_back_by_re_invite(site: EdgeSite) -> None:
    async with OpusPeer(OURS) as peer, client(site) as phone:
        offer = OPUS_OFFER.format(port=peer.port, version=1)
        dialog, answer = await phone.call("601", body=offer)
        peer.speak(("127.0.0.1", answer.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        held = await phone.ask("INVITE", dialog, body=offer.replace("1 1 IN", "1 2 IN").replace("sendrecv", "sendonly"))
        assert held.status == 200, held.text
        assert "a=recvonly" in held.body
        back = await phone.ask("INVITE", dialog, body=offer.replace("1 1 IN", "1 3 IN"))
        assert back.status == 200, back.text
        peer.forget()
        peer.speak(("127.0.0.1", back.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        await phone.ask("BYE", dialog)
    await nothing_left(site)


async def test_a_re_invite_without_an_offer_gets_one(site: EdgeSite) -> None:
    async with OpusPeer(OURS) as peer, client(site) as phone:
        offer = OPUS_OFFER.format(port=peer.port, version=1)
        dialog, answer = await phone.call("601", body=offer)
        peer.speak(("127.0.0.1", answer.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        phone.send(phone.request("INVITE", dialog))
        late = await phone.final("INVITE")
        assert late.status == 200
        assert opus_type(late.body)
        phone.send(phone.request("ACK", dialog, body=answer_in_opus(late.body, peer)))
        peer.forget()
        peer.speak(("127.0.0.1", late.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        await phone.ask("BYE", dialog)
    await nothing_left(site)


async def test_a_call_without_an_offer_gets_one(site: EdgeSite) -> None:
    async with OpusPeer(OURS) as peer, client(site) as phone:
        dialog = phone.new_dialog(f"sip:601@127.0.0.1:{site.port}")
        phone.send(phone.request("INVITE", dialog))
        challenge = await phone.final("INVITE")
        phone.acknowledge(dialog, challenge)
        phone.send(phone.request("INVITE", dialog, headers=phone.sign(challenge, "INVITE", dialog.target)))
        late = await phone.final("INVITE")
        assert late.status == 200, late.text
        phone.learn(dialog, late)
        phone.send(phone.request("ACK", dialog, body=answer_in_opus(late.body, peer)))
        peer.speak(("127.0.0.1", late.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        await phone.ask("BYE", dialog)
    await nothing_left(site)


@pytest.mark.parametrize("method", ["REFER", "SUBSCRIBE", "MESSAGE"])
async def test_a_transfer_behind_the_engines_back_is_refused(site: EdgeSite, method: str) -> None:
    async with OpusPeer(OURS) as peer, client(site) as phone:
        dialog, answer = await phone.call("600", body=OPUS_OFFER.format(port=peer.port, version=1))
        refused = await phone.ask(method, dialog, headers="Refer-To: <sip:601@127.0.0.1>\n")
        assert refused.status == 405
        assert "REFER" not in refused.header("Allow")
        peer.speak(("127.0.0.1", answer.media_port))
        await (await peer.stream()).heard.wait_for_tone(OURS)
        await phone.ask("BYE", dialog)


async def test_keys_by_rfc_4733_reach_the_pbx_beside_opus(site: EdgeSite) -> None:
    async with OpusPeer(None) as peer, client(site) as phone:
        dialog, answer = await phone.call("608", body=OPUS_OFFER.format(port=peer.port, version=1))
        assert "telephone-event" in answer.body, answer.body
        event = int(answer.body.split(" telephone-event")[0].rpartition(":")[2])
        assert OPUS in map(int, answer.body.partition("RTP/AVP ")[2].splitlines()[0].split())
        for key in "123":
            peer.press(key, ("127.0.0.1", answer.media_port), event)
            await asyncio.sleep(0.3)
        async with asyncio.timeout(12):
            # Asterisk tells nobody.
            while "KEYS_SEEN=123" not in await asyncio.to_thread(site.pbx.asterisk.cli, "dialplan show globals"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        await phone.ask("BYE", dialog)


async def test_pcma_and_g722_phones_are_taken(site: EdgeSite) -> None:
    for codec in ("8", "9"):
        offer = OPUS_OFFER.format(port=9, version=1).replace("AVP 111 9 0 8 101", f"AVP {codec} 101")
        offer = offer.replace("a=rtpmap:111 opus/48000/2\n", "").replace("a=rtpmap:0 PCMU/8000\n", "")
        async with client(site) as phone:
            dialog, answer = await phone.call("601", body=offer)
            assert answer.status == 200, answer.text
            assert f"RTP/AVP {codec}" in answer.body
            await phone.ask("BYE", dialog)
    await nothing_left(site)


async def test_a_caller_that_gives_up_leaves_nothing(site: EdgeSite) -> None:
    async with client(site) as phone:
        dialog = phone.new_dialog(f"sip:603@127.0.0.1:{site.port}")
        body = OPUS_OFFER.format(port=9, version=1)
        phone.send(phone.request("INVITE", dialog, body=body))
        challenge = await phone.final("INVITE")
        phone.acknowledge(dialog, challenge)
        invite = phone.request("INVITE", dialog, body=body, headers=phone.sign(challenge, "INVITE", dialog.target))
        phone.send(invite)
        while (await phone.next()).status != 180:
            pass
        via = next(line for line in invite.splitlines() if line.startswith("Via"))
        cancel = phone.request("CANCEL", dialog, contact=False, headers='Reason: Q.850;cause=26;text="x"\n')
        phone.send("\r\n".join(via if line.startswith("Via") else line for line in cancel.split("\r\n")))
        assert (await phone.final("INVITE")).status == 487
    await nothing_left(site)


async def test_a_busy_number_leaves_nothing_and_says_why(site: EdgeSite) -> None:
    async with client(site) as phone:
        _, answer = await phone.call("604", body=OPUS_OFFER.format(port=9, version=1))
        assert answer.status == 486
        assert "cause=17" in answer.header("Reason")
    await nothing_left(site)
