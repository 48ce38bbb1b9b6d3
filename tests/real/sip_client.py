"""A SIP client for tests of the edge: UDP, TCP or TLS, digest sign-in, one dialog at a time, every message as text.

It does what the test says and nothing by itself, so that it can also do what no phone does. SIPp plays the phones that
behave; this one restarts, signs wrongly, leaves headers out.
"""

import asyncio
import contextlib
import hashlib
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
OPUS_OFFER = """v=0
o=- 1 {version} IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 111 9 0 8 101
a=rtpmap:111 opus/48000/2
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A SIP message that came. `status` is 0 for a request, `method` "" for an answer."""

    text: str
    status: int
    method: str
    headers: Mapping[str, list[str]]  # names in lower case
    body: str

    @classmethod
    def parse(cls, text: str) -> "Message":
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), []).append(value.strip())
        answer = re.match(r"SIP/2.0 (\d{3})", first)
        return cls(text, int(answer[1]) if answer else 0, "" if answer else first.split(" ")[0], headers, body)

    def header(self, name: str) -> str:
        """The first of that name; "" where there is none."""
        return self.headers.get(name.lower(), [""])[0]

    @property
    def media_port(self) -> int:
        """The port of the first media line."""
        found = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        assert found, self.text
        return int(found[1])


@dataclass
class Dialog:
    """What a dialog is known by, and where its requests go."""

    call_id: str
    from_tag: str
    target: str
    to: str = ""  # the far side's whole header, once it has a tag
    remote: str = ""  # where requests go to within it: the Contact of the far side
    routes: list[str] = field(default_factory=list)
    cseq: int = 0


async def close(writer: asyncio.StreamWriter) -> None:
    """Closes a connection, and waits until it is closed: the end of the test's event loop would leave it open."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):  # it broke, or the other side does not take part
        async with asyncio.timeout(2):
            await writer.wait_closed()


class SipClient(asyncio.DatagramProtocol):
    """`async with SipClient(port) as client`. `transport`: udp, tcp or tls; `port`: of the edge."""

    def __init__(
        self,
        port: int,
        *,
        transport: str = "udp",
        user: str = "1001",
        password: str = "",
        host: str = HOST,
        local: str = "",
        sign: Callable[[Message, str, str], str] | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.user = user
        self._password = password
        self._to = (host, port)
        self._host = f"[{host}]" if ":" in host else host
        self._kind = transport
        self.local = local  # the address to send from; "": any
        self.sign = sign or self.signed
        self._certificate = certificate  # and its key, shown with tls
        self.contact_parameters = ""  # more of them, each with its semicolon
        self._datagrams: asyncio.DatagramTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._came: asyncio.Queue[Message] = asyncio.Queue(maxsize=1000)
        self.seen: list[str] = []  # every message, sent ">" and received "<"
        self.port = 0

    async def __aenter__(self) -> "SipClient":
        loop = asyncio.get_running_loop()
        if self._kind == "udp":
            local = self.local or ("::1" if ":" in self._host else HOST)
            self._datagrams, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(local, 0))
            self.port = self._datagrams.get_extra_info("sockname")[1]
            return self
        context = None
        if self._kind == "tls":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if self._certificate:
                context.load_cert_chain(*self._certificate)
        reader, self._writer = await asyncio.open_connection(*self._to, ssl=context)
        self.port = self._writer.get_extra_info("sockname")[1]
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._datagrams:
            self._datagrams.close()
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer:
            await close(self._writer)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data.decode(errors="replace"))

    def send(self, text: str | bytes) -> None:
        """Sends a message as it is."""
        data = text.encode() if isinstance(text, str) else text
        self.seen.append(">" + data.decode(errors="replace"))
        if self._datagrams:
            self._datagrams.sendto(data, self._to)
        else:
            assert self._writer
            self._writer.write(data)

    def request(self, method: str, dialog: Dialog, *, body: str = "", headers: str = "", contact: bool = True) -> str:
        """A request of that dialog as text. `headers`: further lines, each ending with a line feed."""
        if method not in ("ACK", "CANCEL"):
            dialog.cseq += 1
        via = "WS" if self._kind == "ws" else self._kind.upper()
        lines = [
            f"{method} {dialog.remote or dialog.target} SIP/2.0",
            f"Via: SIP/2.0/{via} {self._host}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport",
            f"From: <sip:{self.user}@{self._host}>;tag={dialog.from_tag}",
            f"To: {dialog.to or f'<{dialog.target}>'}",
            f"Call-ID: {dialog.call_id}",
            f"CSeq: {dialog.cseq} {method}",
            "Max-Forwards: 70",
            *(f"Route: {route}" for route in dialog.routes),
        ]
        if contact:
            lines.append(
                f"Contact: <sip:{self.user}@{self._host}:{self.port};transport={self._kind}{self.contact_parameters}>"
            )
        lines += [line for line in headers.splitlines() if line]
        if body:
            lines.append("Content-Type: application/sdp")
        body = "\r\n".join(body.splitlines()) + "\r\n" if body else ""
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])

    def drop_all(self) -> None:
        """Forgets what has come and was not asked for yet."""
        while not self._came.empty():
            self._came.get_nowait()

    async def next(self, *, seconds: float = 5.0) -> Message:
        """The next message that came. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            return await self._came.get()

    async def final(self, method: str, *, seconds: float = 10.0) -> Message:
        """The next final answer to a request of that method; others are passed by. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self._came.get()
                if message.status >= 200 and message.header("CSeq").endswith(method):
                    return message

    async def request_from_far(self, method: str, *, seconds: float = 10.0) -> Message:
        """The next request of that method from the far side. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self._came.get()
                if message.method == method:
                    return message

    async def ask(
        self, method: str, dialog: Dialog, *, body: str = "", headers: str = "", seconds: float = 10.0
    ) -> Message:
        """Sends a request, signs when it is challenged, acknowledges the answer of an INVITE. The final answer."""
        self.send(self.request(method, dialog, body=body, headers=headers))
        answer = await self.final(method, seconds=seconds)
        if answer.status in (401, 407) and self._password:
            if method == "INVITE":
                self.acknowledge(dialog, answer)
            proof = self.sign(answer, method, dialog.target)
            self.send(self.request(method, dialog, body=body, headers=headers + proof))
            answer = await self.final(method, seconds=seconds)
        if method == "INVITE":
            self.acknowledge(dialog, answer)
        return answer

    async def call(self, number: str, *, body: str, headers: str = "") -> tuple[Dialog, Message]:
        """Calls a number with an offer; the dialog and the final answer."""
        dialog = self.new_dialog(f"sip:{number}@{self._host}:{self._to[1]}")
        return dialog, await self.ask("INVITE", dialog, body=body, headers=headers)

    async def register(self, *, expires: int = 300) -> Message:
        """Registers its contact; the final answer."""
        dialog = self.new_dialog(f"sip:{self._host}:{self._to[1]}")
        dialog.to = f"<sip:{self.user}@{self._host}>"
        return await self.ask("REGISTER", dialog, headers=f"Expires: {expires}\n")

    def answer(
        self, request: Message, status: int, reason: str, *, body: str = "", tag: str = "far", headers: str = ""
    ) -> None:
        """Answers a request from the far side."""
        to = request.header("To")
        lines = [f"SIP/2.0 {status} {reason}", *(f"Via: {via}" for via in request.headers["via"])]
        lines += [f"Record-Route: {route}" for route in request.headers.get("record-route", [])]
        lines += [f"From: {request.header('From')}", f"To: {to if 'tag=' in to else f'{to};tag={tag}'}"]
        lines += [f"Call-ID: {request.header('Call-ID')}", f"CSeq: {request.header('CSeq')}"]
        lines += [
            f"Contact: <sip:{self.user}@{self._host}:{self.port};transport={self._kind}{self.contact_parameters}>"
        ]
        lines += headers.splitlines()
        if body:
            lines.append("Content-Type: application/sdp")
        body = "\r\n".join(body.splitlines()) + "\r\n" if body else ""
        self.send("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]))

    @staticmethod
    def new_dialog(target: str) -> Dialog:
        return Dialog(call_id=f"{secrets.token_hex(8)}@test", from_tag=secrets.token_hex(4), target=target)

    @staticmethod
    def learn(dialog: Dialog, answer: Message) -> None:
        """Takes over what a 2xx says about the dialog."""
        dialog.to = answer.header("To")
        contact = re.search(r"<([^>]+)>", answer.header("Contact"))
        if contact:
            dialog.remote = contact[1]
        recorded = [each.strip() for value in answer.headers.get("record-route", []) for each in value.split(",")]
        dialog.routes = recorded[::-1] or dialog.routes

    def acknowledge(self, dialog: Dialog, answer: Message) -> None:
        """Sends the ACK of an INVITE's final answer."""
        if answer.status < 300:
            self.learn(dialog, answer)
            self.send(self.request("ACK", dialog))
            return
        # Of the same transaction: its Via (RFC 3261 section 17.1.1.3).
        ack = self.request("ACK", dialog, contact=False)
        ack = re.sub(r"Via: [^\r]*", f"Via: {answer.header('Via')}", ack, count=1)
        self.send(re.sub(r"\r\nTo: [^\r]*", f"\r\nTo: {answer.header('To')}", ack, count=1))

    def signed(self, challenge: Message, method: str, uri: str) -> str:
        offered = challenge.header("WWW-Authenticate") or challenge.header("Proxy-Authenticate")
        wanted = dict(re.findall(r'(\w+)="?([^",]+)"?', offered))
        digest = hashlib.sha256 if wanted.get("algorithm") == "SHA-256" else hashlib.md5

        def hashed(text: str) -> str:
            return digest(text.encode()).hexdigest()

        secret = hashed(f"{self.user}:{wanted['realm']}:{self._password}")
        own = secrets.token_hex(4)
        proof = hashed(f"{secret}:{wanted['nonce']}:00000001:{own}:auth:{hashed(f'{method}:{uri}')}")
        name = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        return (
            f'{name}: Digest username="{self.user}", realm="{wanted["realm"]}", nonce="{wanted["nonce"]}", '
            f'uri="{uri}", response="{proof}", algorithm={wanted.get("algorithm", "MD5")}, qop=auth, nc=00000001, '
            f'cnonce="{own}"\n'
        )

    def _contact(self) -> str:
        where = f"{self.user}@{self._host}:{self.port};transport={self._kind}{self.contact_parameters}"
        return f"Contact: <sip:{where}>"

    def _take(self, text: str) -> None:
        if text.strip():
            self.seen.append("<" + text)
            if not self._came.full():
                self._came.put_nowait(Message.parse(text))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            self._take((head + body).decode(errors="replace"))
