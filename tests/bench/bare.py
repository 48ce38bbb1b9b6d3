"""The yardstick: the least script that makes the same call by aiohttp and NG, in a process of its own.

It has the order that is fast (create, addChannel and dial beside the media) and nothing else: no states, no
deadlines, no records, no care for what goes wrong. `WAKE` makes it wake the channels of a legacy Asterisk too.
Takes the front end's WebSocket messages `offer`, `hangup` and `ping`.

    ARI_URL=… ARI_USER=… ARI_PASSWORD=… RTPENGINE_NG=… PORT=… WAKE=1 python -m tests.bench.bare
"""

import asyncio
import os
import secrets
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

import aiohttp
import msgspec
import uvloop
from aiohttp import web

from ari_bridge.media import bencode
from ari_bridge.media.bencode import Value

ENDPOINT = "PJSIP/{target}@trunk"
TO_ASTERISK: dict[str, Value] = {
    "transport-protocol": "RTP/AVP",
    "ICE": "remove",
    "DTLS": "off",
    "rtcp-mux": ["demux"],
    "replace": ["origin", "session-connection"],
    "flags": ["generate-mid"],
    "codec": {"strip": ["PCMU", "PCMA", "G722"], "consume": ["opus"], "transcode": ["PCMU"]},
}
TO_BROWSER: dict[str, Value] = {
    "transport-protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "rtcp-mux": ["require"],
    "replace": ["origin", "session-connection"],
    "flags": ["generate-mid"],
}
NOW: dict[str, Value] = {"delete-delay": 0}
ANSWER = (
    "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 0\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=sendrecv\r\na=ptime:20\r\n"
)
WAKES = (0.0008, 0.003, 0.006, 0.012, 0.03)  # seconds


class Ng(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self._waiting: dict[bytes, asyncio.Future[Any]] = {}

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        cookie, _, body = data.partition(b" ")
        self._waiting.pop(cookie).set_result(bencode.decode(body))

    async def command(self, **fields: Value) -> str:
        """The answer's SDP, if any."""
        cookie = secrets.token_hex(8).encode()
        answer = self._waiting[cookie] = asyncio.get_running_loop().create_future()
        self._transport.sendto(cookie + b" " + bencode.encode(fields))
        sdp: bytes = (await answer).get("sdp", b"")
        return sdp.decode()


class Script:
    def __init__(self, session: aiohttp.ClientSession, ng: Ng, *, url: str, app: str, wake: bool) -> None:
        self._session = session
        self._ng = ng
        self._url = url
        self._app = app
        self._wake = wake
        self._entered: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)  # by channel

    async def follow(self) -> None:
        """Every StasisStart, for ever."""
        async with self._session.ws_connect(f"{self._url}/events", params={"app": self._app}) as socket:
            async for message in socket:
                event = msgspec.json.decode(message.data)
                if event["type"] == "StasisStart":
                    self._entered[event["channel"]["id"]].set()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        calls = set()
        await _send(socket, type="welcome", version="bare", authentication=False, session="none")
        async for frame in socket:
            message = msgspec.json.decode(frame.data)
            match message["type"]:
                case "offer":
                    calls.add(asyncio.create_task(self._call(socket, message)))
                case "hangup":
                    calls.add(asyncio.create_task(self._end(socket, message["callId"])))
                case "ping":
                    await _send(socket, type="pong", id=message.get("id", 0))
        return socket

    async def _call(self, socket: web.WebSocketResponse, offer: dict[str, str]) -> None:
        call = offer["callId"]
        far, media, bridge = (f"{call}.{kind}" for kind in ("far", "em", "br"))  # no names of the engine's
        bridged = asyncio.create_task(self._ari("POST", f"/bridges/{bridge}", type="mixing"))

        async def dial() -> None:
            endpoint = ENDPOINT.format(target=offer["target"])
            await self._ari("POST", "/channels/create", endpoint=endpoint, app=self._app, channelId=far)
            await self._add(bridge, far, bridged)
            await self._woken(far, self._ari("POST", f"/channels/{far}/dial", timeout="50"))

        async def connect() -> None:
            browser: dict[str, Value] = {"call-id": call, "from-tag": "browser"}
            sdp = await self._ng.command(command="offer", sdp=offer["sdp"], **browser, **TO_ASTERISK)
            port = sdp.partition("m=audio ")[2].partition(" ")[0]
            host = sdp.partition("c=IN IP4 ")[2].partition("\r")[0]
            there = f"{host}:{port}"
            reply = await self._ari(
                "POST", "/channels/externalMedia", app=self._app, channelId=media, external_host=there, format="ulaw"
            )
            where = msgspec.json.decode(reply)["channelvars"]
            address = where["UNICASTRTP_LOCAL_ADDRESS"], where["UNICASTRTP_LOCAL_PORT"]
            added = asyncio.create_task(self._add(bridge, media, bridged))
            browser |= {"to-tag": "asterisk", "sdp": ANSWER.format(*address)}
            sdp = await self._ng.command(command="answer", **browser, **TO_BROWSER)
            await _send(socket, type="answer", callId=call, sdp=sdp)
            await added

        await asyncio.gather(dial(), connect())

    async def _end(self, socket: web.WebSocketResponse, call: str) -> None:
        await asyncio.gather(
            self._ari("DELETE", f"/channels/{call}.far"),
            self._ari("DELETE", f"/channels/{call}.em"),
            self._ari("DELETE", f"/bridges/{call}.br"),
            self._ng.command(command="delete", **NOW, **{"call-id": call}),
            return_exceptions=True,  # what is gone already is gone
        )
        ended = {"state": "ended", "direction": "outbound", "target": "", "caller": "", "at": 0}
        await _send(socket, type="state", callId=call, **ended)

    async def _add(self, bridge: str, channel: str, bridged: asyncio.Task[bytes]) -> None:
        await self._entered[channel].wait()
        await bridged
        await self._woken(channel, self._ari("POST", f"/bridges/{bridge}/addChannel", channel=channel))

    async def _woken(self, channel: str, command: Coroutine[Any, Any, bytes]) -> None:
        task = asyncio.create_task(command)
        for pause in WAKES if self._wake else ():
            done, _ = await asyncio.wait({task}, timeout=pause)
            if done:
                break
            await self._ari("GET", f"/channels/{channel}/variable", variable="SET(TIMEOUT(absolute)=0)")
        await task

    async def _ari(self, method: str, path: str, **parameters: str) -> bytes:
        async with self._session.request(method, f"{self._url}{path}", params=parameters) as response:
            body = await response.read()
            if response.status >= 400:
                raise RuntimeError(f"{method} {path}: {response.status} {body.decode()}")
            return body


async def _send(socket: web.WebSocketResponse, **message: Any) -> None:
    await socket.send_str(msgspec.json.encode(message).decode())


async def main(settings: dict[str, str]) -> None:
    host, port = settings["RTPENGINE_NG"].split(":")
    _, ng = await asyncio.get_running_loop().create_datagram_endpoint(Ng, remote_addr=(host, int(port)))
    authorization = aiohttp.encode_basic_auth(settings["ARI_USER"], settings["ARI_PASSWORD"], "utf-8")
    async with aiohttp.ClientSession(headers={"Authorization": authorization}) as session:
        wake = settings["WAKE"] == "1"
        script = Script(session, ng, url=settings["ARI_URL"], app=f"bare-{'woken' if wake else 'plain'}", wake=wake)
        app = web.Application()
        app.add_routes([web.get("/ws", script.serve)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(settings["PORT"])).start()
        await script.follow()


if __name__ == "__main__":
    uvloop.run(main(dict(os.environ)))
