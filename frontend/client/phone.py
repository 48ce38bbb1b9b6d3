"""A headless WebRTC phone on aiortc: `ari-bridge call`, and the tests' ear and mouth.

async with Phone("ws://127.0.0.1:3000/ws") as phone:
    call = await phone.call("601")
    await call.wait("accepted")
    await call.heard.wait_for_tone(1004)
    await call.hangup()
"""

import asyncio
import ssl
from types import TracebackType
from typing import Any, Self

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from ari_bridge.calls.causes import Outcome
from ari_bridge.ids import new_call_id
from frontend import messages
from frontend.client.connection import ClientError, Connection, ConnectionLost, ServerRefused
from frontend.client.tones import Heard, Silence, Source, hear
from frontend.messages import ServerMessage

ANSWER_SECONDS = 15.0  # the server's own set-up timeout comes first
HANGUP_SECONDS = 10.0


class NotSeen(ClientError):
    """What was waited for did not come; the text says what came instead."""


def _let_loopback_in() -> None:
    """aioice leaves loopback out of its candidates; a server on this machine is reached by nothing else."""
    found = aioice.ice.get_host_addresses

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        others = [address for address in found(use_ipv4, use_ipv6) if address != "127.0.0.1"]
        return (["127.0.0.1"] if use_ipv4 else []) + others

    if not getattr(found, "with_loopback", False):
        addresses.with_loopback = True  # type: ignore[attr-defined]
        aioice.ice.get_host_addresses = addresses


class PhoneCall:
    """One call of the phone. `history`: the states as they came; `outcome`: once it has ended."""

    def __init__(self, phone: "Phone", call_id: str, source: Source | None) -> None:
        self.id = call_id
        self.history: list[str] = []
        self.outcome: Outcome | None = None
        self.end: messages.State | None = None
        self.held = False  # by the far side
        self.digits = ""  # pressed by the far side
        self.sdp_offer = ""
        self.sdp_answer = ""
        self.heard = Heard()
        self._phone = phone
        self._error: ClientError | None = None
        self._news = asyncio.Event()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.addTrack(source or Silence())
        self._peer.on("track", self._on_track)
        self._ears: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        return "ended" in self.history

    async def wait(self, state: str, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Until the call has been in `state`. Raises NotSeen, or what broke the call."""
        await self.until(lambda: state in self.history, f"state {state!r}", timeout)

    async def until(self, condition: Any, what: str, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Until `condition()` holds, looked at with every message. Raises NotSeen, or what broke the call."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._error:
                        raise self._error
                    if self.ended:
                        raise NotSeen(f"{self}: ended without {what}")
                    await self._news.wait()
        except TimeoutError:
            raise NotSeen(f"{self}: no {what} within {timeout:g} s") from None

    async def hangup(self) -> None:
        """Hang up and wait for the end. Raises NotSeen, ConnectionLost."""
        if not self.ended:
            await self._phone.send(messages.Hangup(self.id))
            await self.wait("ended", HANGUP_SECONDS)

    async def send_dtmf(self, digits: str) -> None:
        await self._phone.send(messages.Dtmf(self.id, digits))

    async def stats(self) -> dict[str, Any]:
        """Packets sent and received, packets lost, jitter (seconds), and the codec."""
        figures: dict[str, Any] = {"codec": self._codec()}
        for report in (await self._peer.getStats()).values():
            if report.type == "inbound-rtp":
                figures |= {"received": report.packetsReceived, "lost": report.packetsLost}
                figures["jitter"] = report.jitter / 48000
            elif report.type == "outbound-rtp":
                figures["sent"] = report.packetsSent
        return figures

    def __str__(self) -> str:
        end = f" ({self.outcome.value}: {self.end.reason})" if self.outcome and self.end else ""
        return f"call {self.id}, states {' → '.join(self.history) or 'none'}{end}"

    # --- used by Phone --------------------------------------------------------------

    async def offer(self) -> str:
        """Our SDP offer. Nothing is gathered but the addresses of this machine."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        self.sdp_offer = self._peer.localDescription.sdp
        return self.sdp_offer

    async def answered(self) -> None:
        """Wait for the SDP answer, or the end, and connect the media."""
        await self.until(lambda: self.sdp_answer or self.ended, "answer", ANSWER_SECONDS)
        if self.sdp_answer:
            await self._peer.setRemoteDescription(RTCSessionDescription(self.sdp_answer, "answer"))

    def take(self, message: ServerMessage) -> None:
        match message:
            case messages.Answer(sdp=sdp):
                self.sdp_answer = sdp
            case messages.State(state=state, outcome=outcome):
                self.history.append(state)
                if state == "ended":
                    self.outcome, self.end = outcome, message
                    # At once: its packets would go on to ports that the next call may get.
                    self._closing = asyncio.create_task(self._peer.close())
            case messages.Hold(held=held):
                self.held = held
            case messages.Dtmf(digits=digits):
                self.digits += digits
            case messages.Error():
                self._error = ServerRefused(message)
        self._wake()

    def fail(self, error: ClientError) -> None:
        self._error = error
        self._wake()

    async def close(self) -> None:
        """Stop the media; the call itself is the server's."""
        await (self._closing or self._peer.close())
        self.heard.close()
        for ear in self._ears:
            ear.cancel()
        await asyncio.gather(*self._ears, return_exceptions=True)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _on_track(self, track: MediaStreamTrack) -> None:
        ear = asyncio.create_task(hear(track, self.heard))
        self._ears.add(ear)
        ear.add_done_callback(self._ears.discard)

    def _codec(self) -> str:
        for line in self.sdp_answer.splitlines():
            if line.startswith("a=rtpmap:"):
                return line.split(" ", 1)[1].split("/")[0]
        return ""


class Incoming:
    """A call that rings here. `stopped`: why it rings no more, "" while it does."""

    def __init__(self, phone: "Phone", message: messages.IncomingCall) -> None:
        self.id = message.call_id
        self.caller = message.caller
        self.caller_name = message.caller_name
        self.target = message.target
        self.stopped = ""
        self._phone = phone

    async def accept(self, source: Source | None = None) -> PhoneCall:
        """Take it. Raises ServerRefused where another page was quicker."""
        return await self._phone.begin(self.id, source, target=None)

    async def decline(self) -> None:
        await self._phone.send(messages.Decline(self.id))

    async def wait_stopped(self, timeout: float = 5.0) -> str:  # noqa: ASYNC109
        """Why it rings no more. Raises NotSeen."""
        await self._phone.until(lambda: bool(self.stopped), "incoming-ended", timeout)
        return self.stopped


class Phone:
    """`user`: who to register as; `token`: from `connection.sign_in`."""

    def __init__(
        self,
        ws_url: str,
        user: str | None = None,
        token: str | None = None,
        origin: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.user = user
        self.errors: list[messages.Error] = []  # those that belong to no call
        self._token = token
        self._calls: dict[str, PhoneCall] = {}
        self._incoming: dict[str, Incoming] = {}
        self._rung: asyncio.Queue[Incoming] = asyncio.Queue()
        self._registered = False
        self._news = asyncio.Event()
        self._lost: ConnectionLost | None = None
        self._connection = Connection(
            ws_url, on_message=self._receive, on_lost=self._on_lost, token=token, origin=origin, tls=tls
        )

    async def __aenter__(self) -> Self:
        """Connect, and register where there is a user. Raises ConnectionFailed, ServerRefused."""
        _let_loopback_in()
        await self._connection.open()
        if self.user:
            try:
                await self.register()
            except BaseException:
                await self._connection.close()
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Hang up what stands, and disconnect."""
        for call in list(self._calls.values()):
            try:
                if self._lost is None:
                    await call.hangup()
            except ClientError:
                pass  # it ends with the connection
            await call.close()
        await self._connection.close()

    async def register(self) -> None:
        """Take calls for `user`. Raises ServerRefused, NotSeen."""
        if not self.user:
            raise ValueError("a phone without a user cannot register")
        errors = len(self.errors)
        await self.send(messages.Register(self.user, self._token))
        await self.until(lambda: self._registered or len(self.errors) > errors, "registered", 5.0)
        if not self._registered:
            raise ServerRefused(self.errors[-1])

    async def call(self, target: str, source: Source | None = None, *, caller: str | None = None) -> PhoneCall:
        """Call a number; returns when the media is agreed, or the call has ended. Raises ServerRefused, NotSeen."""
        return await self.begin(new_call_id(), source, target=target, caller=caller)

    async def incoming(self, timeout: float = 5.0) -> Incoming:  # noqa: ASYNC109
        """The next call that rings here. Raises NotSeen."""
        try:
            async with asyncio.timeout(timeout):
                return await self._rung.get()
        except TimeoutError:
            raise NotSeen(f"no incoming call for {self.user} within {timeout:g} s") from None

    async def begin(
        self, call_id: str, source: Source | None, *, target: str | None, caller: str | None = None
    ) -> PhoneCall:
        call = self._calls[call_id] = PhoneCall(self, call_id, source)
        try:
            sdp = await call.offer()
            await self.send(messages.Offer(sdp=sdp, target=target, call_id=call_id, caller=caller))
            await call.answered()
        except BaseException:
            del self._calls[call_id]
            await call.close()
            raise
        return call

    async def send(self, message: messages.ClientMessage) -> None:
        """Raises ConnectionLost."""
        await self._connection.send(message)

    async def until(self, condition: Any, what: str, timeout: float) -> None:  # noqa: ASYNC109
        """Until `condition()` holds, looked at with every message. Raises NotSeen, ConnectionLost."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._lost:
                        raise self._lost
                    await self._news.wait()
        except TimeoutError:
            raise NotSeen(f"no {what} within {timeout:g} s") from None

    def _receive(self, message: ServerMessage) -> None:
        call_id = getattr(message, "call_id", None)
        match message:
            case messages.Registered():
                self._registered = True
            case messages.Unregistered():
                self._registered = False
            case messages.IncomingCall():
                self._incoming[message.call_id] = incoming = Incoming(self, message)
                self._rung.put_nowait(incoming)
            case messages.IncomingEnded(reason=reason):
                if rung := self._incoming.pop(message.call_id, None):
                    rung.stopped = reason
            case _ if call_id in self._calls:
                self._calls[call_id].take(message)
            case messages.Error():
                self.errors.append(message)
        self._news.set()
        self._news = asyncio.Event()

    def _on_lost(self, lost: ConnectionLost) -> None:
        self._lost = lost
        for call in self._calls.values():
            call.fail(lost)
        self._news.set()
        self._news = asyncio.Event()
