"""A small NG server: takes offers, gives answers, and forgets them when told, with knobs for what goes wrong."""

import asyncio
import time
from collections import Counter
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

UNKNOWN: dict[str, Value] = {"result": "error", "error-reason": "Unknown call-id"}
QUESTIONS = {"ping", "list", "query", "statistics"}
"""Commands that change nothing: they come all the time."""


class FakeRtpengine(asyncio.DatagramProtocol):
    """`refuse`: commands answered by an error; `drop`: so many datagrams of a command get no answer;
    `garble`: commands whose answer is no bencoding; `hang`: alive for the kernel, but silent, as after SIGSTOP (what
    comes meanwhile is done when it goes on); `foreign`: sessions of others; `transcoded`: sessions that are, by its
    own count; `packets`: what each browser has sent; `far_packets`: what Asterisk has, in every session;
    `found`: sessions whose browser ICE has found.
    """

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.foreign = 0
        self.transcoded = 0
        self.packets: Counter[str] = Counter()
        self.far_packets = 0
        self.found: set[str] = set()
        self.commands: list[dict[str, Value]] = []  # each once, however often it was sent; without QUESTIONS
        self.counts: Counter[str] = Counter()  # all of them, by name
        self.refuse: set[str] = set()
        self.drop: dict[str, int] = {}
        self.garble: set[str] = set()
        self.delay: dict[str, float] = {}
        self._backlog: list[tuple[bytes, Any]] | None = None
        self._made: dict[str, int] = {}  # Unix seconds
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
        """Killed: gone at once, its sessions too. `start` brings it back on the same port."""
        self._transport.close()
        self.restart()
        await asyncio.sleep(0)  # the socket is closed then

    def restart(self) -> None:
        """So quickly that nobody has seen it gone."""
        self.sessions.clear()
        self._answers.clear()
        if self._backlog:
            self._backlog.clear()

    @property
    def hang(self) -> bool:
        return self._backlog is not None

    @hang.setter
    def hang(self, hang: bool) -> None:
        backlog, self._backlog = self._backlog or [], [] if hang else None
        for data, addr in backlog:
            self.datagram_received(data, addr)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self._backlog is not None:
            self._backlog.append((data, addr))
            return
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
            self.counts[name] += 1
            if name not in QUESTIONS:
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
        raw = message.get("call-id", b"")
        assert isinstance(raw, bytes)
        call_id = raw.decode()
        match command:
            case "ping":
                return bencode.encode({"result": "pong"})
            case "offer":
                self.sessions.add(call_id)
                self._made[call_id] = int(time.time())
                return bencode.encode({"result": "ok", "sdp": TO_ASTERISK})
            case "answer" if call_id in self.sessions:
                return bencode.encode({"result": "ok", "sdp": TO_BROWSER})
            case "delete":
                deleted: dict[str, Value] = {"result": "ok"}
                if call_id not in self.sessions:
                    deleted["warning"] = "Call-ID not found or tags didn't match"
                self.sessions.discard(call_id)
                return bencode.encode(deleted)
            case "list":
                limit = message.get("limit", 32)
                assert isinstance(limit, int)
                return bencode.encode({"result": "ok", "calls": [*sorted(self.sessions)[:limit]]})
            case "query" if call_id in self.sessions:
                sides: dict[str, Value] = {"browser": self._side(call_id), "asterisk": self._far_side(call_id)}
                return bencode.encode({"result": "ok", "tags": sides})
            case "statistics":
                total = len(self.sessions) + self.foreign
                current: dict[str, Value] = {"sessionstotal": total, "transcodedmedia": 2 * self.transcoded}
                return bencode.encode({"result": "ok", "statistics": {"currentstatistics": current}})
            case _:
                return bencode.encode(UNKNOWN)

    def _side(self, call_id: str) -> dict[str, Value]:
        """What rtpengine 10.5 tells of the browser's side."""
        packets = self.packets[call_id]
        last = int(time.time()) if packets else self._made.get(call_id, 0)
        rtp: dict[str, Value] = {
            "last packet": last,
            "stats": {"packets": packets, "bytes": 0, "errors": 0},
            "endpoint": {"family": "IPv4", "address": "0.0.0.0", "port": 5000 if call_id in self.found else 9},
            "flags": ["RTP", "filled", "ICE"],
        }
        return {"tag": "browser", "medias": [{"index": 1, "type": "audio", "streams": [rtp]}]}

    def _far_side(self, call_id: str) -> dict[str, Value]:
        """What it tells of Asterisk's side, where RTCP is a stream of its own."""
        made = self._made.get(call_id, 0)
        stats: dict[str, Value] = {"packets": self.far_packets}
        rtp: dict[str, Value] = {"last packet": made, "stats": stats, "flags": ["RTP", "filled"]}
        rtcp: dict[str, Value] = {"last packet": made, "stats": {"packets": 3}, "flags": ["RTCP"]}
        return {"tag": "asterisk", "medias": [{"index": 1, "type": "audio", "streams": [rtp, rtcp]}]}
