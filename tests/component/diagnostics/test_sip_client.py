"""The SIP client of `ari-bridge sip` against a server that answers well, badly, late, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from ari_bridge.diagnostics import sip_client
from ari_bridge.diagnostics.rtp_port import RtpPort, offer, tone
from ari_bridge.diagnostics.sip_client import Answered, NoAnswer, SipClient
from ari_bridge.diagnostics.sip_digest import Credentials, UnknownChallenge
from ari_bridge.diagnostics.sip_message import Request, Response, branch_of, write
from ari_bridge.diagnostics.sip_transport import SipUnreachable, TransportName, connect
from ari_bridge.media.sdp import pcmu_answer, rtp_address
from ari_bridge.net import RtpAddress
from frontend.cli.commands import main
from tests.fakes.sip_server import FakeSipServer, Script, reply

TRANSPORTS: list[TransportName] = ["udp", "tcp"]
SDP = offer(RtpAddress("127.0.0.1", 4000))
ANSWER = pcmu_answer(RtpAddress("127.0.0.1", 4002))
CONTACT = ("Contact", "<sip:there@127.0.0.1:5999>")
KNOWN = Credentials("1001", "hunter2")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_client, "T1_S", 0.05)
    monkeypatch.setattr(sip_client, "END_S", 0.5)


@asynccontextmanager
async def client(
    server: FakeSipServer, name: TransportName = "udp", credentials: Credentials | None = None
) -> AsyncIterator[SipClient]:
    way = await connect("127.0.0.1", server.port, name)
    try:
        yield SipClient(way, f"127.0.0.1:{server.port}", lambda arrow, raw: None, credentials)
    finally:
        await way.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def accepting(request: Request) -> Iterable[bytes]:
    match request.method:
        case "INVITE":
            route = ("Record-Route", "<sip:p1;lr>, <sip:p2;lr>")
            yield reply(request, "100 Trying")
            yield reply(request, "180 Ringing")
            yield reply(request, "200 OK", CONTACT, route, body=ANSWER)
        case "ACK":
            return
        case _:
            yield reply(request, "200 OK")


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_options(name: TransportName) -> None:
    async with FakeSipServer(accepting) as server, client(server, name) as asker:
        assert (await asker.options(5)).status == 200
    assert server.methods == ["OPTIONS"]


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_a_call_that_is_accepted(name: TransportName) -> None:
    async with FakeSipServer(accepting) as server, client(server, name) as asker:
        found = await asker.invite("601", SDP, 5)
        assert isinstance(found, Answered) and rtp_address(found.sdp) == RtpAddress("127.0.0.1", 4002)
        await asker.bye()
        assert server.methods == ["INVITE", "ACK", "BYE"]
        invite, ack, bye = server.requests
        assert invite.uri == f"sip:601@127.0.0.1:{server.port}" and invite.body == SDP.encode()
        assert ack.uri == bye.uri == "sip:there@127.0.0.1:5999"
        assert bye.headers.all("route") == ["<sip:p2;lr>", "<sip:p1;lr>"] and "tag=there" in bye.headers.get("to")
        assert len({branch_of(one) for one in server.requests}) == 3
        assert [one.headers.get("cseq") for one in server.requests] == ["1 INVITE", "1 ACK", "2 BYE"]


@pytest.mark.parametrize("name", TRANSPORTS)
@pytest.mark.parametrize("proxy", [False, True])
async def test_who_it_is_is_told_when_asked(name: TransportName, proxy: bool) -> None:
    nonces: list[str] = []

    def asks(request: Request) -> Iterable[bytes]:
        given = request.headers.get("proxy-authorization" if proxy else "authorization")
        if request.method == "INVITE" and (not given or 'nonce="old"' in given):
            nonces.append(given)
            stale, nonce = (", stale=true", "new") if given else ("", "old")
            challenge = f'Digest realm="r", nonce="{nonce}", qop="auth"{stale}'
            status = "407 Proxy Authentication Required" if proxy else "401 Unauthorized"
            yield reply(request, status, ("Proxy-Authenticate" if proxy else "WWW-Authenticate", challenge))
        else:
            yield from accepting(request)

    async with FakeSipServer(asks) as server, client(server, name, KNOWN) as asker:
        assert isinstance(await asker.invite("601", SDP, 5), Answered)
        await asker.bye()
        assert server.methods == ["INVITE", "ACK"] * 3 + ["BYE"]
        first, ack = server.requests[:2]
        assert branch_of(first) == branch_of(ack) and ack.uri == first.uri, "a refusal is acknowledged hop by hop"
    assert "hunter2" not in str(server.requests)


async def test_a_wrong_password_is_tried_once() -> None:
    def refuses(request: Request) -> Iterable[bytes]:
        if request.method == "INVITE":
            yield reply(request, "401 Unauthorized", ("WWW-Authenticate", 'Digest realm="r", nonce="n"'))

    async with FakeSipServer(refuses) as server, client(server, credentials=KNOWN) as asker:
        found = await asker.invite("601", SDP, 5)
        assert isinstance(found, Response) and found.status == 401
        await until(lambda: server.methods == ["INVITE", "ACK"] * 2)


async def test_a_challenge_that_is_not_known() -> None:
    def asks(request: Request) -> Iterable[bytes]:
        yield reply(request, "401 Unauthorized", ("WWW-Authenticate", "Negotiate"))

    async with FakeSipServer(asks) as server, client(server, credentials=KNOWN) as asker:
        with pytest.raises(UnknownChallenge, match="negotiate"):
            await asker.options(5)


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_nobody_answers_and_the_call_is_cancelled(name: TransportName) -> None:
    invites: list[Request] = []

    def rings(request: Request) -> Iterable[bytes]:
        match request.method:
            case "INVITE":
                invites.append(request)
                yield reply(request, "180 Ringing")
            case "CANCEL":
                yield reply(request, "200 OK")
                yield reply(invites[0], "487 Request Terminated")

    async with FakeSipServer(rings) as server, client(server, name) as asker:
        with pytest.raises(NoAnswer, match="180 Ringing"):
            await asker.invite("601", SDP, 0.3)
        await until(lambda: server.methods == ["INVITE", "CANCEL", "ACK"])
        assert len({branch_of(one) for one in server.requests}) == 1
        assert server.requests[1].headers.get("cseq") == "1 CANCEL"


async def test_a_call_that_is_accepted_while_it_is_cancelled_is_ended() -> None:
    invites: list[Request] = []

    def accepts_late(request: Request) -> Iterable[bytes]:
        match request.method:
            case "INVITE":
                invites.append(request)
                yield reply(request, "183 Session Progress")
            case "CANCEL":
                yield reply(request, "200 OK")
                yield reply(invites[0], "200 OK", CONTACT, body=ANSWER)
            case "BYE":
                yield reply(request, "200 OK")

    async with FakeSipServer(accepts_late) as server, client(server) as asker:
        with pytest.raises(NoAnswer):
            await asker.invite("601", SDP, 0.3)
        assert server.methods == ["INVITE", "CANCEL", "ACK", "BYE"]


async def test_what_is_lost_is_sent_again_and_what_comes_twice_is_acknowledged_twice() -> None:
    def loses(request: Request) -> Iterable[bytes]:
        if request.method == "INVITE" and len(server.requests) < 3:
            return
        yield from accepting(request)
        if request.method == "INVITE":
            yield reply(request, "200 OK", CONTACT, body=ANSWER)

    async with FakeSipServer(loses) as server, client(server) as asker:
        assert isinstance(await asker.invite("601", SDP, 5), Answered)
        await asker.bye()
        assert sorted(server.methods) == ["ACK", "ACK", "BYE", "INVITE", "INVITE", "INVITE"]
        assert len({branch_of(one) for one in server.requests if one.method == "INVITE"}) == 1


async def test_what_the_other_side_asks_during_the_call_is_answered() -> None:
    def asks(request: Request) -> Iterable[bytes]:
        yield from accepting(request)
        if request.method == "ACK":
            common = [("Via", "SIP/2.0/UDP h;branch=z9hG4bKx"), ("Call-ID", request.headers.get("call-id"))]
            for method in ("OPTIONS", "INVITE", "REFER", "BYE"):
                yield write(f"{method} sip:a@h SIP/2.0", [*common, ("CSeq", f"7 {method}")])
            yield write("BYE sip:a@h SIP/2.0", [("Call-ID", "another"), ("CSeq", "8 BYE")])

    async with FakeSipServer(asks) as server, client(server) as asker:
        await asker.invite("601", SDP, 5)
        async with asyncio.timeout(5):
            await asker.serve()
        await until(lambda: len(server.responses) == 4)
        await asker.bye()
        assert [one.split(b"\r\n")[0] for one in server.responses] == [
            b"SIP/2.0 200 OK",
            b"SIP/2.0 200 OK",
            b"SIP/2.0 405 Method Not Allowed",
            b"SIP/2.0 200 OK",
        ]
        assert server.methods == ["INVITE", "ACK"], "who was hung up on says no BYE"


GARBAGE: list[Script] = [
    lambda request: [b"\x00" * 20, b"\xff" * 100, b"SIP/2.0 banana\r\n\r\n", b"x" * 60_000],
    lambda request: [reply(request, "200 OK").replace(b"branch=z9hG4bK", b"branch=other")],
    lambda request: [reply(request, "200 OK").replace(b"CSeq: 1", b"CSeq: 2")],
    lambda request: [reply(request, "200 OK").replace(b"Via:", b"X:")],
    lambda request: [reply(request, "200 OK").replace(b"Length: 0", b"Length: 900")],
    lambda request: [reply(request, "180 Ringing")] * 3,
    lambda request: [],
]


@pytest.mark.parametrize("script", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_is_no_answer(script: Script) -> None:
    async with FakeSipServer(script) as server, client(server) as asker:
        with pytest.raises(NoAnswer):
            await asker.options(0.3)


async def test_a_good_answer_among_garbage_is_found() -> None:
    def answers(request: Request) -> Iterable[bytes]:
        yield b"garbage"
        yield reply(request, "200 OK")

    async with FakeSipServer(answers) as server, client(server) as asker:
        assert (await asker.options(5)).status == 200


async def test_nobody_is_there() -> None:
    async with FakeSipServer(accepting) as server:
        port = server.port
    with pytest.raises(SipUnreachable):
        await connect("127.0.0.1", port, "tcp")
    way = await connect("127.0.0.1", port, "udp")
    with pytest.raises(SipUnreachable):
        await SipClient(way, "h", lambda arrow, raw: None).options(5)
    await way.close()


async def test_sound_both_ways() -> None:
    from ari_bridge_client.audio import ReceivedAudio
    from frontend.cli.sip import _Ear

    ear, nothing = _Ear(), ReceivedAudio()
    here, there = await RtpPort.open("127.0.0.1", ear.hear), await RtpPort.open("127.0.0.1", lambda sound: None)
    there.send_to(here.address, tone(1004))
    await ear.audio.wait_for_tone(1004, 10)
    for wrong in (b"", b"x" * 11, b"\x80\x08" + b"x" * 170, b"\x90\x00" + b"x" * 20, b"\x8f\x00" + b"x" * 20):
        before = here.received
        here.datagram_received(wrong, None)
        assert here.received == before
    await here.close()
    await there.close()
    nothing.close()


# --- the command ------------------------------------------------------------------------------


async def command(*arguments: str, **environment: str) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, main, ["sip", *arguments], env=environment)
    return result.exit_code, result.output


async def test_the_command_shows_what_was_sent_and_what_came() -> None:
    def asks(request: Request) -> Iterable[bytes]:
        if request.headers.get("authorization"):
            yield reply(request, "200 Fine \x1b[31m")
        else:
            yield reply(request, "401 Unauthorized", ("WWW-Authenticate", 'Digest realm="r", nonce="n"'))

    async with FakeSipServer(asks) as server:
        status, told = await command("options", f"127.0.0.1:{server.port}", "--user", "1001", PASSWORD="hunter2")
        assert status == 0 and "→ OPTIONS sip:" in told and "← SIP/2.0 401 Unauthorized" in told
        assert "\x1b" not in told and "hunter2" not in told and 'response="(hidden)"' in told
        assert (await command("options", f"127.0.0.1:{server.port}", "--transport", "tcp"))[0] == 1
    assert (await command("options", f"127.0.0.1:{server.port}", "--transport", "tcp"))[0] == 3
    for wrong in (["x y"], ["h:99999"], ["h", "--user", "a"], ["h", "--user", "a", "--password-file", "/nothing"]):
        assert (await command("options", *wrong, PASSWORD=""))[0] == 2, wrong


@pytest.fixture
async def far() -> AsyncIterator[RtpPort]:
    far = await RtpPort.open("127.0.0.1", lambda sound: None)
    yield far
    await far.close()


@pytest.mark.parametrize("hz", [1004, 440])
async def test_the_command_hears(far: RtpPort, hz: int) -> None:
    def plays(request: Request) -> Iterable[bytes]:
        if request.method == "INVITE":
            far.send_to(rtp_address(request.body.decode()), tone(hz))
            yield reply(request, "200 OK", CONTACT, body=pcmu_answer(far.address))
        elif request.method == "BYE":
            yield reply(request, "200 OK")

    async with FakeSipServer(plays) as server:
        host, seconds = f"127.0.0.1:{server.port}", 10 if hz == 1004 else 2
        status, told = await command("invite", host, "601", "--expect-tone", "1004", "--seconds", str(seconds))
        assert status == (0 if hz == 1004 else 2), told
        assert ("Heard a tone" if hz == 1004 else "1004 Hz was not heard within 2 s") in told, told
        assert server.methods == ["INVITE", "ACK", "BYE"] and far.received
