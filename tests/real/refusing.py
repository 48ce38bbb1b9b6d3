"""Phones of a trunk that refuse each call with the SIP status in the number that is dialled: 7486 is busy.

SIPp cannot: it wants the status of an answer to stand in the scenario.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from tests.real import free_ports

REFUSED_AFTER = 0.3
"""Seconds."""
_STATUS = re.compile(r"INVITE sip:7([3-6]\d\d)@")
_COPIED = ("via", "from", "call-id", "cseq")  # RFC 3261 section 8.2.6.2; `to` gets a tag


class _Phones(asyncio.DatagramProtocol):
    def __init__(self, headers: str) -> None:
        self._headers = headers
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = data.decode(errors="replace")
        status = _STATUS.match(message)
        if status is None:
            return  # an ACK, mostly
        assert self._transport
        head, _, _ = message.partition("\r\n\r\n")
        lines = [line for line in head.split("\r\n")[1:] if line.partition(":")[0].lower() in _COPIED]
        [to] = [line for line in head.split("\r\n") if line.lower().startswith("to:")]
        moved = [f"Contact: <sip:7999@{free_ports.HOST}>"] if status[1].startswith("3") else []
        more = [self._headers] if self._headers else []
        # As long as a trunk takes: Asterisk hands a status only to who is bridged with the far side by then.
        answer = [f"SIP/2.0 {status[1]} Refused", *lines, f"{to};tag=refused", *moved, *more, "Content-Length: 0"]
        datagram = "\r\n".join([*answer, "", ""]).encode()
        asyncio.get_running_loop().call_later(REFUSED_AFTER, self._transport.sendto, datagram, addr)


@asynccontextmanager
async def refusing_phones(port: int, *, headers: str = "") -> AsyncIterator[None]:
    """They listen at `port` (UDP). `headers`: more lines for their answers, e.g. a Reason."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Phones(headers), local_addr=(free_ports.HOST, port))
    try:
        yield
    finally:
        transport.close()
