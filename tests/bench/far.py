"""The far side: a SIP phone at the demo's trunk port (RFC 3261, as little as a call needs).

It rings at once, answers when it is told to, sends no RTP at all, and keeps the moment at which each thing came.
"""

import asyncio
import re
import time
from typing import Self

import numpy as np

from tests.bench.wire import Address, StampedUdp
from tests.real.free_ports import HOST
from tests.real.rtp import PCMU, decode

LOUD = 2000  # of 32767: silence and comfort noise stay far below, the browser's tone is far above
_RTP_HEADER = 12
_COPIED = re.compile(r"^(?:Via|From|Call-ID|CSeq):.*$", re.MULTILINE)
_NUMBER = re.compile(r"INVITE sip:([^@;> ]+)")


class FarCall:
    """`invited`: when its INVITE came. `heard`: when the first loud RTP packet came. Unix seconds."""

    def __init__(self, phone: "FarPhone", invite: str, sender: Address, at: float) -> None:
        self.invited = at
        self.heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.rtp = StampedUdp(self._rtp_came)
        self._phone = phone
        self._invite = invite
        self._sender = sender
        self.response = b""  # the last one, sent again where the INVITE comes again

    def ring(self) -> None:
        self._respond("180 Ringing")

    def answer(self) -> float:
        """Picks up; when it did."""
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {self.rtp.port} RTP/AVP {PCMU}\r\na=rtpmap:{PCMU} PCMU/8000\r\n"
        )
        at = time.time()
        self._respond("200 OK", body)
        return at

    def cancel(self) -> None:
        self._respond("487 Request Terminated")
        self.end()

    def end(self) -> None:
        self.ended.set()
        self.rtp.close()

    def _respond(self, status: str, body: str = "") -> None:
        self.response = self._phone.respond(self._invite, self._sender, status, body)

    def _rtp_came(self, packet: bytes, sender: Address, at: float) -> None:
        if self.heard.done() or len(packet) <= _RTP_HEADER or packet[1] & 0x7F != PCMU:
            return
        if int(np.abs(decode(packet[_RTP_HEADER:])).max()) >= LOUD:
            self.heard.set_result(at)


class FarPhone:
    """Answers at UDP `port`, as `async with`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._calls: dict[str, FarCall] = {}  # by SIP Call-ID
        self._wanted: dict[str, asyncio.Future[FarCall]] = {}  # by number

    async def __aenter__(self) -> Self:
        self._sip = StampedUdp(self._sip_came, self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        for call in self._calls.values():
            call.end()
        self._sip.close()

    def expect(self, number: str) -> asyncio.Future[FarCall]:
        """The call that will come for `number`. Ask before it is dialled."""
        self._wanted[number] = asyncio.get_running_loop().create_future()
        return self._wanted[number]

    def respond(self, request: str, to: Address, status: str, body: str = "") -> bytes:
        """Sends a response to `request`; returns it as sent."""
        called = next(line for line in request.split("\r\n") if line.startswith("To:"))
        if "tag=" not in called:
            called += ";tag=far"
        lines = [f"SIP/2.0 {status}", *(line.rstrip("\r") for line in _COPIED.findall(request)), called]
        lines += [f"Contact: <sip:far@{HOST}:{self._port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        response = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()
        self._sip.send(response, to)
        return response

    def _sip_came(self, data: bytes, sender: Address, at: float) -> None:
        request = data.decode()
        method = request.partition(" ")[0]
        call_id = request.partition("\r\nCall-ID:")[2].partition("\r\n")[0].strip()
        call = self._calls.get(call_id)
        match method:
            case "INVITE" if call is None:
                self._invited(call_id, FarCall(self, request, sender, at))
            case "INVITE" if call:
                self._sip.send(call.response, sender)
            case "ACK":
                pass
            case "CANCEL" | "BYE":
                self.respond(request, sender, "200 OK")
                if call and method == "CANCEL":
                    call.cancel()
                elif call:
                    call.end()
            case _:
                self.respond(request, sender, "200 OK")

    def _invited(self, call_id: str, call: FarCall) -> None:
        self._calls[call_id] = call
        number = _NUMBER.match(call._invite)
        wanted = self._wanted.pop(number[1], None) if number else None
        call.ring()
        if wanted and not wanted.done():
            wanted.set_result(call)
