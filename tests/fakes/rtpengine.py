"""A small NG server: takes offers, gives answers, and forgets them when told, with knobs for what goes wrong."""

import asyncio
from typing import Any

from ari_bridge.media import bencode
from ari_bridge.media.bencode import Value

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio {port} {protocol}\r\nc=IN IP4 127.0.0.1\r\n"
    "{lines}a=sendrecv\r\n"
)
TO_ASTERISK = SDP.format(port=40000, protocol="RTP/AVP 0", lines="a=rtpmap:0 PCMU/8000\r\n")
TO_BROWSER = SDP.format(
    port=40002,
    protocol="UDP/TLS/RTP/SAVPF 111",
    lines="a=rtpmap:111 opus/48000/2\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:active\r\n"
    "a=fingerprint:sha-256 00:11\r\na=mid:0\r\na=rtcp-mux\r\n",
)


class FakeRtpengine(asyncio.DatagramProtocol):
    """`refuse`: commands answered by an error; `drop`: so many datagrams of a command get no answer;
    `garble`: commands whose answer is no bencoding.
    """

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.commands: list[dict[str, Value]] = []  # each once, however often it was sent
        self.refuse: set[str] = set()
        self.drop: dict[str, int] = {}
        self.garble: set[str] = set()
        self.delay: dict[str, float] = {}
        self.address = ""
        self._transport: Any = None
        self._port = 0
        self._answers: dict[bytes, bytes] = {}  # by cookie: a repetition gets the same answer

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self._port))
        self._port = self._transport.get_extra_info("sockname")[1]
        self.address = f"127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Gone at once; `start` brings it back on the same port."""
        self._transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        cookie, _, body = data.partition(b" ")
        message = bencode.decode(body)
        assert isinstance(message, dict)
        command = message["command"]
        assert isinstance(command, bytes)
        name = command.decode()
        if self.drop.get(name, 0):
            self.drop[name] -= 1
            return
        if cookie not in self._answers:
            self.commands.append(message)
            self._answers[cookie] = cookie + b" " + self._answer(name, message)
        loop = asyncio.get_running_loop()
        loop.call_later(self.delay.get(name, 0), self._send, self._answers[cookie], addr)

    def _send(self, answer: bytes, addr: Any) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(answer, addr)

    def _answer(self, command: str, message: dict[str, Value]) -> bytes:
        if command in self.garble:
            return b"no bencoding"
        if command in self.refuse:
            return bencode.encode({"result": "error", "error-reason": f"{command} refused"})
        call_id = message.get("call-id", b"")
        assert isinstance(call_id, bytes)
        match command:
            case "ping":
                return bencode.encode({"result": "pong"})
            case "offer":
                self.sessions.add(call_id.decode())
                return bencode.encode({"result": "ok", "sdp": TO_ASTERISK})
            case "answer" if call_id.decode() in self.sessions:
                return bencode.encode({"result": "ok", "sdp": TO_BROWSER})
            case "delete":
                self.sessions.discard(call_id.decode())
                return bencode.encode({"result": "ok"})
            case "list":
                return bencode.encode({"result": "ok", "calls": list(self.sessions)})
            case _:
                return bencode.encode({"result": "error", "error-reason": "Unknown call-id"})
