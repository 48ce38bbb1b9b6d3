"""A small SIP client that asks whether a server answers, and whether a call through it works (RFC 3261).

For diagnosis: one server, one request or one call at a time, and every message is shown. Where messages go in a real
network (DNS, redirects, forks) is left out: all of them go to the server that was named.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from ari_bridge.diagnostics.sip_digest import Credentials, answer, is_stale
from ari_bridge.diagnostics.sip_message import (
    BadMessage,
    Message,
    Request,
    Response,
    branch_of,
    parse,
    tag_of,
    uri_of,
    write,
)
from ari_bridge.diagnostics.sip_transport import Transport
from ari_bridge.net import host_port

T1_S, T2_S = 0.5, 4.0
"""When something is sent again by UDP: after T1, then after twice as long each time, up to T2 (RFC 3261, 17)."""
END_S = 4.0
"""How long the answer to a CANCEL or a BYE is waited for."""
_ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS")
_USER_CHARACTERS = "+*#-_.!~'()&=$,;?/"
_AGENT = ("User-Agent", "ari-bridge")

Tracer = Callable[[str, bytes], None]
"""Called with `→` or `←` and each message; with `!` and a sentence for what was received and cannot be read."""


class NoAnswer(Exception):
    """No final response came in time."""

    def __init__(self, method: str, seconds: float, last: Response | None = None) -> None:
        super().__init__(method, seconds, last)
        self.method = method
        self.seconds = seconds
        self.last = last

    def __str__(self) -> str:
        last = f"; the last was {self.last.status} {self.last.reason}" if self.last else ""
        return f"no final answer to {self.method} within {self.seconds:g} s{last}"


@dataclass(slots=True)
class _Dialog:
    """What the requests of one call have in common."""

    uri: str
    to: str
    sender: str
    call_id: str
    contact: str
    route: tuple[str, ...] = ()
    number: int = 0  # of the last request (CSeq)
    authorization: tuple[str, str] | None = None  # of the INVITE, which its ACK repeats


@dataclass(frozen=True, slots=True)
class Answered:
    """A call that was accepted: `sdp` is the answer."""

    response: Response
    sdp: str


class SipClient:
    """One server, by one transport.

    Args:
        transport: To the server; it is not closed here.
        host: The server, as requests name it (`host` or `host:port`).
        trace: Told of every message.
        credentials: For a challenge; None: it is the answer.
        user: In From; the credentials' if there are some.
    """

    def __init__(
        self, transport: Transport, host: str, trace: Tracer, credentials: Credentials | None = None, user: str = ""
    ) -> None:
        self._transport = transport
        self._host = host
        self._trace = trace
        self._credentials = credentials
        self._user = (credentials.user if credentials else user) or "ari-bridge"
        self._sdp = ""
        self._call: _Dialog | None = None
        self._invite: tuple[Request, bytes] | None = None  # while it has no final response
        self._acks: dict[str, bytes] = {}  # by the To tag of the 2xx
        self.ended = asyncio.Event()
        """The other side has ended the call."""

    async def options(self, seconds: float) -> Response:
        """The final response. Raises NoAnswer, SipUnreachable, UnknownChallenge."""
        dialog = self._dialog("")
        async with _deadline("OPTIONS", seconds):
            return await self._ask(dialog, "OPTIONS", (("Accept", "application/sdp"), _ALLOW))

    async def invite(self, number: str, sdp: str, seconds: float) -> Response | Answered:
        """Call; the response if it was refused. A call that is accepted is to be ended by `bye`.

        Raises NoAnswer (the call was cancelled), SipUnreachable, UnknownChallenge.
        """
        dialog = self._call = self._dialog(number)
        self._sdp = sdp
        more = (_ALLOW, ("Content-Type", "application/sdp"))
        last: list[Response] = []
        try:
            async with _deadline("INVITE", seconds, last):
                response = await self._ask(dialog, "INVITE", more, sdp.encode(), last)
        except (NoAnswer, asyncio.CancelledError):
            await self._cancel(bool(last))
            raise
        if response.status >= 300:
            return response
        self._accept(dialog, response)
        return Answered(response, response.body.decode("utf-8", "replace"))

    async def serve(self) -> None:
        """Answer what the other side asks during the call, until it ends it. Raises SipUnreachable."""
        while not self.ended.is_set():
            await self._receive()

    async def bye(self) -> None:
        """End the call, unless the other side has. Raises SipUnreachable, NoAnswer."""
        if self._call and not self.ended.is_set():
            async with _deadline("BYE", END_S):
                await self._ask(self._call, "BYE", ())

    # --- requests -----------------------------------------------------------------------

    def _dialog(self, number: str) -> _Dialog:
        user = f"{quote(number, safe=_USER_CHARACTERS)}@" if number else ""
        uri = f"sip:{user}{self._host}"
        suffix = "" if self._transport.name == "UDP" else f";transport={self._transport.name.lower()}"
        return _Dialog(
            uri=uri,
            to=f"<{uri}>",
            sender=f"<sip:{self._user}@{self._host}>;tag={secrets.token_hex(6)}",
            call_id=secrets.token_hex(12),
            contact=f"<sip:{self._user}@{host_port(*self._transport.local)}{suffix}>",
        )

    async def _ask(
        self,
        dialog: _Dialog,
        method: str,
        more: tuple[tuple[str, str], ...],
        body: bytes = b"",
        provisional: list[Response] | None = None,
    ) -> Response:
        """The final response, after a challenge was answered. Raises SipUnreachable, UnknownChallenge."""
        authorization: tuple[str, str] | None = None
        challenges = 0
        while True:
            dialog.number += 1
            given = (*more, authorization) if authorization else more
            response = await self._transact(dialog, method, given, body, provisional)
            if response.status not in (401, 407) or self._credentials is None:
                return response
            proxy = response.status == 407
            asked = response.headers.all("proxy-authenticate" if proxy else "www-authenticate")
            challenges += 1
            if challenges > 2 or (authorization and not is_stale(asked)):
                return response
            value = answer(asked, self._credentials, method, dialog.uri)
            authorization = ("Proxy-Authorization" if proxy else "Authorization", value)
            if method == "INVITE":
                dialog.authorization = authorization

    def _request(
        self, dialog: _Dialog, method: str, more: tuple[tuple[str, str], ...], body: bytes = b"", branch: str = ""
    ) -> tuple[Request, bytes]:
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        headers = [
            ("Via", f"SIP/2.0/{self._transport.name} {host_port(*self._transport.local)};branch={branch};rport"),
            *(("Route", route) for route in dialog.route),
            ("Max-Forwards", "70"),
            ("From", dialog.sender),
            ("To", dialog.to),
            ("Call-ID", dialog.call_id),
            ("CSeq", f"{dialog.number} {method}"),
            ("Contact", dialog.contact),
            _AGENT,
            *more,
        ]
        raw = write(f"{method} {dialog.uri} SIP/2.0", headers, body)
        request = parse(raw)
        assert isinstance(request, Request)
        return request, raw

    async def _transact(
        self,
        dialog: _Dialog,
        method: str,
        more: tuple[tuple[str, str], ...],
        body: bytes,
        provisional: list[Response] | None,
    ) -> Response:
        request, raw = self._request(dialog, method, more, body)
        if method == "INVITE":
            self._invite = (request, raw)
        async for response in self._responses(request, raw):
            if response.final:
                break
            if provisional is not None:
                provisional.append(response)
        if method == "INVITE":
            self._invite = None
            if response.status >= 300:
                self._acknowledge(dialog, request, response)
        return response

    async def _responses(self, request: Request, raw: bytes) -> AsyncIterator[Response]:
        """Those to the request, the last of them final. Sent again by UDP until there is one."""
        invite = request.method == "INVITE"
        self._send(raw)
        interval = T1_S
        heard = self._transport.reliable
        while True:
            try:
                async with asyncio.timeout(None if heard else interval):
                    message = await self._receive()
            except TimeoutError:
                self._send(raw)
                interval = interval * 2 if invite else min(T2_S, interval * 2)
                continue
            if isinstance(message, Response) and _is_to(message, request):
                heard = heard or invite or message.final
                yield message
                if message.final:
                    return

    def _acknowledge(self, dialog: _Dialog, request: Request, response: Response) -> None:
        """A refusal, hop by hop: the ACK has the branch of the INVITE (RFC 3261, 17.1.1.3)."""
        headers = [
            ("Via", request.headers.get("via")),
            ("Max-Forwards", "70"),
            ("From", dialog.sender),
            ("To", response.headers.get("to")),
            ("Call-ID", dialog.call_id),
            ("CSeq", f"{dialog.number} ACK"),
        ]
        self._send(write(f"ACK {request.uri} SIP/2.0", headers))

    def _accept(self, dialog: _Dialog, response: Response) -> None:
        """The ACK to a 2xx is a request of its own, to the contact, by the route of the dialog (13.2.2.4)."""
        dialog.to = response.headers.get("to") or dialog.to
        dialog.uri = uri_of(response.headers.get("contact")) or dialog.uri
        dialog.route = tuple(
            route.strip() for line in reversed(response.headers.all("record-route")) for route in line.split(",")[::-1]
        )
        _, raw = self._request(dialog, "ACK", (dialog.authorization,) if dialog.authorization else ())
        self._acks[tag_of(dialog.to)] = raw
        self._send(raw)

    async def _cancel(self, provisional: bool) -> None:
        """Of the INVITE that has no final response. A call that is accepted meanwhile is ended."""
        dialog, pending = self._call, self._invite
        if dialog is None or pending is None or not provisional:
            return  # what nobody has answered may not be cancelled (9.1)
        request, raw = pending
        headers = [(name.title(), request.headers.get(name)) for name in ("via", "max-forwards", "from", "to")]
        headers += [("Call-ID", dialog.call_id), ("CSeq", f"{dialog.number} CANCEL")]
        self._send(write(f"CANCEL {request.uri} SIP/2.0", headers))
        try:
            async with asyncio.timeout(END_S):
                while not (isinstance(message := await self._receive(), Response) and _is_to(message, request)):
                    pass
                while not message.final:
                    if isinstance(later := await self._receive(), Response) and _is_to(later, request):
                        message = later
                self._invite = None
                if message.status >= 300:
                    self._acknowledge(dialog, request, message)
                    return
                self._accept(dialog, message)
                await self._ask(dialog, "BYE", ())
        except TimeoutError:
            self._trace("!", b"the CANCEL was not answered")

    # --- what comes -----------------------------------------------------------------------

    def _send(self, raw: bytes) -> None:
        self._trace("→", raw)
        self._transport.send(raw)

    async def _receive(self) -> Message | None:
        """The next message; None if it cannot be read or is a request, which is answered. Raises SipUnreachable."""
        raw = await self._transport.receive()
        if not raw.strip(b"\r\n\0 "):
            return None  # a keep-alive
        self._trace("←", raw)
        try:
            message = parse(raw)
        except BadMessage as error:
            self._trace("!", f"that is no SIP message: {error}".encode())
            return None
        if isinstance(message, Request):
            self._serve(message)
            return None
        tag = tag_of(message.headers.get("to"))
        if 200 <= message.status < 300 and message.headers.get("cseq").endswith(" INVITE") and tag in self._acks:
            self._send(self._acks[tag])  # it is sent again until it is acknowledged
            return None
        return message

    def _serve(self, request: Request) -> None:
        call = self._call
        ours = call is not None and request.headers.get("call-id") == call.call_id
        match request.method:
            case "ACK":
                return
            case "BYE" if ours:
                self._respond(request, "200 OK")
                self.ended.set()
            case "INVITE" | "UPDATE" if ours and call:
                typed = (("Contact", call.contact), ("Content-Type", "application/sdp"))
                self._respond(request, "200 OK", typed, self._sdp.encode())
            case "OPTIONS":
                self._respond(request, "200 OK", (_ALLOW,))
            case "BYE" | "CANCEL" | "INVITE" | "UPDATE":
                self._respond(request, "481 Call/Transaction Does Not Exist")
            case _:
                self._respond(request, "405 Method Not Allowed", (_ALLOW,))

    def _respond(
        self, request: Request, status: str, more: tuple[tuple[str, str], ...] = (), body: bytes = b""
    ) -> None:
        copied = [(name.title(), value) for name, value in request.headers.lines if name in ("via", "record-route")]
        copied += [(name, request.headers.get(name.lower())) for name in ("From", "To", "Call-ID", "CSeq")]
        self._send(write(f"SIP/2.0 {status}", [*copied, _AGENT, *more], body))


def _is_to(response: Response, request: Request) -> bool:
    """Of the same transaction (17.1.3)."""
    return branch_of(response) == branch_of(request) and response.headers.get("cseq") == request.headers.get("cseq")


@asynccontextmanager
async def _deadline(method: str, seconds: float, last: Sequence[Response] = ()) -> AsyncIterator[None]:
    """Raises NoAnswer when the time is over. `last`: the responses so far."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise NoAnswer(method, seconds, last[-1] if last else None) from None
