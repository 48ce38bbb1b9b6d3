"""What clients send wrongly: each gets its answer, harms no call, and leaves nothing."""

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest

from tests.real.live_system import LiveSystem
from tests.real.offer_only_call import HUGE, NO_KNOWN_CODEC, OFFER, VIDEO_ONLY

pytestmark = pytest.mark.real

Socket = aiohttp.ClientWebSocketResponse


async def until(socket: Socket, kind: str, *, seconds: float = 5.0) -> dict[str, Any]:
    """The next message of this type. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            message: dict[str, Any] = await socket.receive_json()
            if message["type"] == kind:
                return message


async def error_for(socket: Socket, **message: Any) -> tuple[str, str | None]:
    """The (code, field) that the server answers with."""
    await socket.send_json(message)
    error = await until(socket, "error")
    assert error["message"]
    return error["code"], error.get("field")


async def still_serves(socket: Socket) -> None:
    await socket.send_json({"type": "ping", "id": 7})
    assert (await until(socket, "pong"))["id"] == 7


@pytest.mark.parametrize(
    "sdp", ["", VIDEO_ONLY, NO_KNOWN_CODEC, "not an SDP"], ids=["empty", "video-only", "no-opus-no-pcmu", "not-sdp"]
)
async def test_bad_sdp(site: LiveSystem, sdp: str) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(site.app.ws_url) as socket:
        assert await error_for(socket, type="offer", target="600", sdp=sdp) == ("invalid_sdp", "sdp")
        await still_serves(socket)
        async with client.post(f"{site.app.url}/invite", json={"target": "600", "sdp": sdp}) as response:
            body = await response.json()
            assert (response.status, body["code"], body["field"]) == (400, "invalid_sdp", "sdp")


async def test_sdp_of_a_megabyte(site: LiveSystem) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(site.app.ws_url) as socket:
        code, _ = await error_for(socket, type="offer", target="600", sdp=HUGE)
        assert code in ("too_large", "invalid_sdp")
        await still_serves(socket)
        body = io.BytesIO(json.dumps({"target": "600", "sdp": HUGE}).encode())
        async with client.post(f"{site.app.url}/invite", data=body) as response:
            assert response.status in (400, 413)
            assert (await response.json())["code"] in ("too_large", "invalid_sdp")


@pytest.mark.parametrize(
    "target",
    ["600&601", "600@from-sip", "600,1", "600\n601", "600\r\nX: 1", "600/n", "${CHANNEL}", "600;x", "", "6" * 65],
)
async def test_a_target_with_characters_of_the_dialplan(site: LiveSystem, target: str) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(site.app.ws_url) as socket:
        assert await error_for(socket, type="offer", target=target, sdp=OFFER) == ("invalid_target", "target")
        async with client.post(f"{site.app.url}/invite", json={"target": target, "sdp": OFFER}) as response:
            assert response.status == 400
            assert (await response.json())["code"] == "invalid_target"
        await still_serves(socket)


@pytest.mark.parametrize("caller", ['"Eve" <sip:1@x>', "1001\r\nX-Evil: 1", "a" * 65])
async def test_a_caller_that_would_break_a_sip_header(site: LiveSystem, caller: str) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(site.app.ws_url) as socket:
        expected = ("invalid_request", "caller")
        assert await error_for(socket, type="offer", target="600", sdp=OFFER, caller=caller) == expected


async def test_an_unknown_call(site: LiveSystem) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(site.app.ws_url) as socket:
        for kind in ("hangup", "decline"):
            assert await error_for(socket, type=kind, callId="nosuchcall") == ("unknown_call", "callId")
        assert await error_for(socket, type="dtmf", callId="nosuchcall", digits="1") == ("unknown_call", "callId")
        assert await error_for(socket, type="offer", callId="nosuchcall", sdp=OFFER) == ("unknown_call", "callId")
        for method in ("GET", "DELETE"):
            async with client.request(method, f"{site.app.url}/call/nosuchcall") as response:
                assert (response.status, (await response.json())["code"]) == (404, "unknown_call")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "malformed"),
        ("[]", "malformed"),
        ("{}", "malformed"),
        ('{"type": "no-such"}', "unknown_type"),
        ('{"type": "hangup"}', "invalid_request"),
        ('{"type": "offer", "target": 600, "sdp": "v=0"}', "invalid_request"),
    ],
    ids=["no-json", "array", "no-type", "unknown-type", "field-missing", "field-of-wrong-type"],
)
async def test_a_malformed_message_harms_no_call(site: LiveSystem, text: str, code: str) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(site.app.ws_url) as socket:
        await socket.send_json({"type": "offer", "target": "601", "sdp": OFFER})
        call_id = (await until(socket, "answer"))["callId"]
        await socket.send_str(text)
        assert (await until(socket, "error"))["code"] == code
        await still_serves(socket)
        assert [call.id for call in site.app.calls.live()] == [call_id]
        await socket.send_json({"type": "hangup", "callId": call_id})
        async with asyncio.timeout(5):
            while (await until(socket, "state"))["state"] != "ended":
                pass


async def test_a_flood_of_messages_is_cut_off_and_others_are_served(site: LiveSystem) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.ws_connect(site.app.ws_url) as flooder, client.ws_connect(site.app.ws_url) as other:
            try:
                for _ in range(20_000):
                    await flooder.send_str(json.dumps({"type": "ping", "id": 1}))
            except ConnectionError:
                pass  # cut off already
            await still_serves(other)
            async with asyncio.timeout(10):
                seen = set()
                async for frame in flooder:
                    seen.add(json.loads(frame.data).get("code"))
            assert "too_many" in seen
            assert flooder.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_an_oversize_frame_closes_that_connection_only(site: LiveSystem) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.ws_connect(site.app.ws_url) as careless, client.ws_connect(site.app.ws_url) as other:
            try:
                await careless.send_str("x" * (5 << 20))
            except ConnectionError:
                pass  # cut off before all of it was sent
            async with asyncio.timeout(10):
                async for _ in careless:
                    pass
            assert careless.closed
            await still_serves(other)


async def test_a_foreign_origin_is_refused(site: LiveSystem) -> None:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(site.app.ws_url, origin="https://evil.example")
        assert refused.value.status == 403
        async with client.get(f"{site.app.url}/stats", headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403
            assert (await response.json())["code"] == "forbidden"


async def test_a_call_id_that_is_taken(site: LiveSystem) -> None:
    async with aiohttp.ClientSession() as client, client.ws_connect(site.app.ws_url) as socket:
        await socket.send_json({"type": "offer", "target": "601", "sdp": OFFER, "callId": "chosen.1"})
        assert (await until(socket, "answer"))["callId"] == "chosen.1"
        taken = await error_for(socket, type="offer", target="601", sdp=OFFER, callId="chosen.1")
        assert taken == ("wrong_state", "callId")
        assert (await error_for(socket, type="offer", target="601", sdp=OFFER, callId="a\nb"))[0] == "invalid_request"
        async with client.delete(f"{site.app.url}/call/chosen.1") as response:
            assert response.status == 204
