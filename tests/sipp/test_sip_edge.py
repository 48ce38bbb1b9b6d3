"""Calls by the SIP edge: signed in, with media that is really encoded, heard both ways, on each transport."""

import pytest

from tests.real.opus_peer import OpusPeer
from tests.real.sip_client import OPUS_OFFER, SipClient
from tests.real.sip_edge import EdgeSite
from tests.sipp.edge_phones import MILLIWATT, OURS, client, nothing_left
from tests.sipp.edge_phones import hung_up as hung_up
from tests.sipp.edge_phones import site as site

pytestmark = pytest.mark.real


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_an_opus_call_is_heard_both_ways(site: EdgeSite, transport: str) -> None:
    async with OpusPeer(OURS) as peer, client(site, transport) as phone:
        dialog, answer = await phone.call("600", body=OPUS_OFFER.format(port=peer.port, version=1))
        assert answer.status == 200, answer.text
        assert "a=rtpmap:111 opus/48000/2" in answer.body
        peer.speak(("127.0.0.1", answer.media_port))
        echo = await peer.stream()
        await echo.heard.wait_for_tone(OURS)
        assert (await phone.ask("BYE", dialog)).status == 200
    await nothing_left(site)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_what_asterisk_plays_is_heard_in_opus(site: EdgeSite, transport: str) -> None:
    async with OpusPeer(OURS) as peer, client(site, transport) as phone:
        dialog, answer = await phone.call("601", body=OPUS_OFFER.format(port=peer.port, version=1))
        peer.speak(("127.0.0.1", answer.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        await phone.ask("BYE", dialog)


@pytest.mark.parametrize(("user", "password"), [("1001", "wrong"), ("nobody", "secret-nobody")])
async def test_a_wrong_password_and_an_unknown_user_are_told_the_same(site: EdgeSite, user: str, password: str) -> None:
    async with SipClient(site.port, user=user, password=password) as stranger:
        _, answer = await stranger.call("600", body=OPUS_OFFER.format(port=9, version=1))
    assert (answer.status, answer.header("Server")) == (401, "ari-bridge")


async def test_nobody_calls_as_somebody_else(site: EdgeSite) -> None:
    async with client(site, user="1002") as phone:
        dialog = phone.new_dialog(f"sip:600@127.0.0.1:{site.port}")
        challenge = await phone.ask("OPTIONS", dialog)  # an OPTIONS to a number wants a password, too
        assert challenge.status == 405
        phone.send(phone.request("INVITE", dialog).replace("From: <sip:1002@", "From: <sip:1001@"))
        challenge = await phone.final("INVITE")
        proof = phone.sign(challenge, "INVITE", dialog.target)
        forged = phone.request("INVITE", dialog, headers=proof).replace("From: <sip:1002@", "From: <sip:1001@")
        phone.send(forged)
        assert (await phone.final("INVITE")).status == 403


@pytest.mark.parametrize("name", ["X-Ari-Bridge-User", "x-ari-bridge-user ", "X-ARI-BRIDGE-USER\t"])
async def test_the_user_is_named_by_the_edge_alone(site: EdgeSite, name: str) -> None:
    forged = f"{name}: 1009\nP-Asserted-Identity: <sip:1009@ari-bridge>\n"
    async with client(site) as phone:
        body = OPUS_OFFER.format(port=9, version=1)
        dialog, answer = await phone.call("609", body=body, headers=forged)
        seen = site.pbx.asterisk.cli("dialplan show globals")
        assert "USER_SEEN=1001\n" in seen
        assert "IDENTITY_SEEN=<sip:1001@ari-bridge>\n" in seen
        assert "X-Ari-Bridge" not in answer.text
        await phone.ask("BYE", dialog)


async def test_options_tell_whether_calls_can_be_made(site: EdgeSite) -> None:
    async with SipClient(site.port) as anybody:
        assert (await anybody.ask("OPTIONS", anybody.new_dialog(f"sip:127.0.0.1:{site.port}"))).status == 200
