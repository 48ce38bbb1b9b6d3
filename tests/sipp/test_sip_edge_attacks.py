"""What strangers send to the SIP edge, and that a call which stands hears nothing of it."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from tests.real.opus_peer import OpusPeer
from tests.real.sip_client import OPUS_OFFER, SipClient
from tests.real.sip_edge import EdgeSite, edge_site
from tests.sipp.edge_phones import MILLIWATT, client, nothing_left

pytestmark = pytest.mark.real

BODY = OPUS_OFFER.format(port=9, version=1)
STRANGERS = itertools.count(1)
# Each is no SIP, or breaks a rule of it (after RFC 4475 section 3.1.2).
TORTURE = (
    b"\x00\xff\xfe garbage\r\n\r\n",
    b"INVITE sip:600@127.0.0.1 SIP/7.0\r\nContent-Length: 0\r\n\r\n",
    b"INVITE sip:600@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nContent-Length: -999\r\n\r\n",
    b"INVITE sip:600@127.0.0.1 SIP/2.0\r\nCSeq: 36893488147419103232 REGISTER\r\nVia: SIP/2.0/UDP x\r\n\r\n",
    b'INVITE <sip:600@127.0.0.1> SIP/2.0\r\nTo: "unterminated <sip:a@b>\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: t\r\n\r\n',
    b"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " + b"a" * 60_000 + b"\r\n\r\n",
    b"OPTIONS sip:%00%ff@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP ;;,;,,\r\nFrom: \r\nTo: \r\n\r\n",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeSite]:
    """Its own for these tests: sources are banned."""
    with edge_site(tmp_path_factory.mktemp("edge")) as running:
        yield running


def stranger(site: EdgeSite, user: str = "1001", password: str = "") -> SipClient:
    """Somebody at an address that nobody has had yet, as sources are banned: the IPv4 loopback has plenty."""
    return SipClient(site.port, local=f"127.0.9.{next(STRANGERS)}", user=user, password=password)


async def test_a_call_hears_nothing_of_a_flood_and_of_broken_messages(site: EdgeSite) -> None:
    async with OpusPeer(440.0) as peer, client(site) as phone, stranger(site) as attacker:
        dialog, answer = await phone.call("601", body=OPUS_OFFER.format(port=peer.port, version=1))
        peer.speak(("127.0.0.1", answer.media_port))
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        for message in TORTURE:
            attacker.send(message)
        for number in range(5_000):
            attacker.send(attacker.request("REGISTER", attacker.new_dialog("sip:127.0.0.1")))
            if number % 50 == 0:
                await asyncio.sleep(0)
        peer.forget()
        await (await peer.stream()).heard.wait_for_tone(MILLIWATT)
        # The flooder is not heard any more; the others are.
        attacker.drop_all()
        attacker.send(attacker.request("OPTIONS", attacker.new_dialog(f"sip:127.0.0.1:{site.port}")))
        with pytest.raises(TimeoutError):
            await attacker.final("OPTIONS", seconds=1.0)
        assert (await phone.ask("BYE", dialog)).status == 200
    await nothing_left(site)


async def test_a_scanner_gets_no_answer(site: EdgeSite) -> None:
    async with stranger(site) as scanner:
        dialog = scanner.new_dialog(f"sip:100@127.0.0.1:{site.port}")
        scanner.send(scanner.request("OPTIONS", dialog, headers="User-Agent: friendly-scanner\n"))
        with pytest.raises(TimeoutError):
            await scanner.next(seconds=1.0)


async def test_who_guesses_passwords_is_kept_out_and_its_victim_is_not(site: EdgeSite) -> None:
    async with client(site) as phone:
        assert (await phone.register()).status == 200
        async with stranger(site, user="1001", password="guess") as attacker:
            for _ in range(10):
                await attacker.call("600", body=BODY)
            with pytest.raises(TimeoutError):
                await attacker.ask("REGISTER", attacker.new_dialog(f"sip:127.0.0.1:{site.port}"), seconds=1.0)
        assert (await phone.register()).status == 200


async def test_who_tries_while_the_front_end_is_away_is_not_taken_for_a_guesser(site: EdgeSite) -> None:
    async with stranger(site, user="1006", password="secret-1006") as phone:
        site.users.stop()
        try:
            assert {(await phone.register()).status for _ in range(12)} == {503}
        finally:
            site.users.start()
        async with asyncio.timeout(10):
            # The edge looks at its state every second; who asks more often than 30 times a second is banned.
            while (await phone.register()).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.3)


async def test_nobody_gets_past_the_challenge_as_if_within_a_dialog(site: EdgeSite) -> None:
    async with stranger(site) as attacker:
        dialog = attacker.new_dialog(f"sip:600@127.0.0.1:{site.pbx.sip_port}")
        dialog.to = f"<{dialog.target}>;tag=made-up"
        dialog.routes = [f"<sip:127.0.0.1:{site.port};lr;media=plain;proof=AAAA>"]
        attacker.send(attacker.request("INVITE", dialog, body=BODY))
        assert (await attacker.final("INVITE")).status == 403
    await nothing_left(site)


async def test_the_signature_of_a_call_leads_nowhere_but_to_the_pbx(site: EdgeSite) -> None:
    body = OPUS_OFFER.format(port=9, version=1)
    async with client(site) as phone, stranger(site) as victim:
        dialog, _ = await phone.call("600", body=body)
        elsewhere = f"sip:victim@{victim.local}:{victim.port}"
        dialog.remote, contact = elsewhere, dialog.remote
        assert (await phone.ask("UPDATE", dialog, body=body.replace("1 1 IN", "1 2 IN"))).status == 200
        dialog.remote, dialog.routes = contact, [*dialog.routes, f"<{elsewhere};lr>"]
        assert (await phone.ask("BYE", dialog)).status == 200
        assert victim.seen == []
    await nothing_left(site)


async def test_a_client_does_not_say_where_else_it_is(site: EdgeSite) -> None:
    """By an alias in its Contact, as the edge itself writes it for the way back to a client."""
    body = OPUS_OFFER.format(port=9, version=1)
    async with client(site, user="1002") as phone, client(site) as caller, stranger(site) as victim:
        assert (await phone.register()).status == 200
        alias = phone.contact_parameters = f";alias={victim.local}~{victim.port}~1"
        _, refused = await phone.call("607", body=body)
        assert refused.status == 400
        phone.contact_parameters = ""
        calling = asyncio.create_task(caller.call("911002", body=body))
        invite = await phone.request_from_far("INVITE")
        phone.contact_parameters = alias
        phone.answer(invite, 180, "Ringing")
        phone.contact_parameters = ""
        phone.answer(invite, 486, "Busy Here")
        _, answer = await calling
        assert answer.status == 486
        assert not [message for message in caller.seen if message.startswith("<SIP/2.0 180")]
        assert victim.seen == []
    await nothing_left(site)


async def test_a_call_that_would_replace_another_is_a_call_like_any_other(site: EdgeSite) -> None:
    async with client(site) as phone:
        replaces = "Replaces: of-somebody-else@test;to-tag=1;from-tag=2\n"
        dialog, answer = await phone.call("600", body=OPUS_OFFER.format(port=9, version=1), headers=replaces)
        assert answer.status == 200, answer.text
        assert (await phone.ask("BYE", dialog)).status == 200
    await nothing_left(site)


@pytest.mark.parametrize("answer", ["wrong nonce", "no nonce"])
async def test_a_made_up_nonce_is_challenged_again(site: EdgeSite, answer: str) -> None:
    async with client(site) as phone:
        dialog = phone.new_dialog(f"sip:600@127.0.0.1:{site.port}")
        nonce = ', nonce="bWFkZSB1cA=="' if answer == "wrong nonce" else ""
        proof = (
            f'Authorization: Digest username="1001", realm="ari-bridge"{nonce}, uri="{dialog.target}", response="0"\n'
        )
        phone.send(phone.request("INVITE", dialog, body=BODY, headers=proof))
        assert (await phone.final("INVITE")).status in (400, 401)
