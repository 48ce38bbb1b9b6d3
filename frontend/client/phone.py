"""A headless WebRTC phone on aiortc: `ari-bridge call`, and the tests' ear and mouth.

async with Phone("ws://127.0.0.1:3000/ws") as phone:
    call = await phone.call("601")
    await call.wait("accepted")
    await call.heard.wait_for_tone(1004)
    await call.hangup()
"""

import asyncio
import random
import ssl
from types import TracebackType
from typing import Any, Self

import aioice.ice

from ari_bridge.ids import new_call_id
from frontend import messages
from frontend.client.connection import ClientError, Connection, ConnectionLost, ServerRefused
from frontend.client.phone_call import NotSeen, PhoneCall, backoff, wait_after
from frontend.client.tones import Source
from frontend.messages import ServerMessage

__all__ = ["Incoming", "NotSeen", "Phone", "PhoneCall"]


def _let_loopback_in() -> None:
    """aioice leaves loopback out of its candidates; a server on this machine is reached by nothing else."""
    found = aioice.ice.get_host_addresses

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        others = [address for address in found(use_ipv4, use_ipv6) if address != "127.0.0.1"]
        return (["127.0.0.1"] if use_ipv4 else []) + others

    if not getattr(found, "with_loopback", False):
        addresses.with_loopback = True  # type: ignore[attr-defined]
        aioice.ice.get_host_addresses = addresses


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
    """`user`: who to register as; `token`: from `connection.sign_in`.

    `reconnects`: a lost connection is made again by itself, and calls outlive it; without, it fails them.
    `codec`: the only one that it offers, e.g. PCMU, which costs far less than Opus; "": all that aiortc knows.
    """

    def __init__(
        self,
        ws_url: str,
        user: str | None = None,
        token: str | None = None,
        origin: str | None = None,
        tls: ssl.SSLContext | None = None,
        *,
        reconnects: bool = False,
        codec: str = "",
    ) -> None:
        self.user = user
        self.session = ""  # what takes this phone's calls back on a later connection
        self.live: list[messages.CallSummary] = []  # the live calls of this user, as the server told last
        self.errors: list[messages.Error] = []  # those that belong to no call
        self.connections = 0  # made so far, the one that stands included
        self._token = token
        self._calls: dict[str, PhoneCall] = {}
        self._incoming: dict[str, Incoming] = {}
        self._rung: asyncio.Queue[Incoming] = asyncio.Queue()
        self._registered = False
        self._resumed = False
        self._told = 0  # how many `calls` messages came
        self._news = asyncio.Event()
        self._lost: ConnectionLost | None = None
        self._reconnects = reconnects
        self._codec = codec
        self._reconnecting: asyncio.Task[None] | None = None
        self._server = (ws_url, origin, tls)
        self._connection = self._new_connection()

    async def __aenter__(self) -> Self:
        """Connect, and register where there is a user. Raises ConnectionFailed, ServerRefused."""
        _let_loopback_in()
        await self._connection.open()
        try:
            await self.until(lambda: self.session, "welcome", 5.0)
            if self.user:
                await self.register()
        except BaseException:
            await self._connection.close()
            raise
        self.connections += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Hang up what stands, and disconnect."""
        for call in list(self._calls.values()):
            try:
                if self._lost is None and not call.taken_over:
                    await call.hangup()
            except ClientError:
                pass  # it ends with the connection
        await self.drop()

    async def drop(self) -> None:
        """Vanish as a page that is closed: the connection and the media, without a word about the calls."""
        self._reconnects = False
        if self._reconnecting:
            self._reconnecting.cancel()
            await asyncio.gather(self._reconnecting, return_exceptions=True)
        await self._connection.close()
        for call in list(self._calls.values()):
            await call.close()

    @property
    def connected(self) -> bool:
        return self._lost is None and self._reconnecting is None

    async def reconnect(self) -> None:
        """A new connection that goes on with the session, and with its calls.

        Raises ConnectionFailed, ConnectionLost, ServerRefused, NotSeen.
        """
        await self._connection.close()
        self._lost, self._registered, self._resumed = None, False, False
        self._connection = self._new_connection()
        await self._connection.open()
        errors, told = len(self.errors), self._told
        await self.send(messages.Resume(self.session))
        await self.until(lambda: self._resumed or len(self.errors) > errors, "resumed", 5.0)
        if not self._resumed:
            raise ServerRefused(self.errors[-1])
        await self.until(lambda: self._told > told, "calls", 5.0)
        live = {summary.call_id: summary for summary in self.live}
        for call in self._calls.values():
            if not call.ended:
                call.catch_up(live.get(call.id))
        if self.user:
            await self.register()
        self.connections += 1
        self._wake()

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

    async def attach(self, call_id: str, source: Source | None = None, *, take_over: bool = False) -> PhoneCall:
        """Take a call of this user that stands, with media of this phone; `take_over`: also from a page that holds it.

        Raises ServerRefused, NotSeen.
        """
        call = await self.begin(call_id, source, target=None, take_over=take_over)
        for summary in self.live:
            if summary.call_id == call_id:
                call.catch_up(summary)
        return call

    async def incoming(self, timeout: float = 5.0) -> Incoming:  # noqa: ASYNC109
        """The next call that rings here. Raises NotSeen."""
        try:
            async with asyncio.timeout(timeout):
                return await self._rung.get()
        except TimeoutError:
            raise NotSeen(f"no incoming call for {self.user} within {timeout:g} s") from None

    async def begin(
        self,
        call_id: str,
        source: Source | None,
        *,
        target: str | None,
        caller: str | None = None,
        take_over: bool = False,
    ) -> PhoneCall:
        call = self._calls[call_id] = PhoneCall(self.send, call_id, source, self._codec)
        try:
            sdp = await call.offer()
            offer = messages.Offer(sdp=sdp, target=target, call_id=call_id, caller=caller, take_over=take_over)
            await self.send(offer)
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

    async def online(self, timeout: float = 10.0, *, after: int = 0) -> None:  # noqa: ASYNC109
        """Until a connection stands, and the server has told the calls; one that came `after` so many others.

        Raises NotSeen.
        """
        try:
            async with asyncio.timeout(timeout):
                while not self.connected or self.connections <= after:
                    await self._news.wait()
        except TimeoutError:
            raise NotSeen(f"no connection within {timeout:g} s") from None

    def _new_connection(self) -> Connection:
        url, origin, tls = self._server
        return Connection(
            url, on_message=self._receive, on_lost=self._on_lost, token=self._token, origin=origin, tls=tls
        )

    def _receive(self, message: ServerMessage) -> None:
        call_id = getattr(message, "call_id", None)
        match message:
            case messages.Welcome(session=session):
                self.session = self.session or session
            case messages.Resumed(session=session):
                self.session, self._resumed = session, True
            case messages.Registered():
                self._registered = True
            case messages.Unregistered():
                self._registered = False
            case messages.Calls(calls=calls):
                self.live = calls
                self._told += 1
            case messages.Reconnect(within=within):
                self._reconnect_soon(random.uniform(0.0, within))
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
        self._wake()

    def _on_lost(self, lost: ConnectionLost) -> None:
        self._lost = lost
        if self._reconnects:
            self._reconnect_soon(0.0)
        else:
            for call in self._calls.values():
                call.fail(lost)
        self._wake()

    def _reconnect_soon(self, after: float) -> None:
        if self._reconnects and self._reconnecting is None:
            self._reconnecting = asyncio.create_task(self._reconnect_until_it_works(after))

    async def _reconnect_until_it_works(self, after: float) -> None:
        await asyncio.sleep(after)
        for pause in backoff():
            try:
                await self.reconnect()
                break
            except ClientError as error:
                if isinstance(error, ServerRefused) and error.code == "unauthorized":  # it will never take us back
                    for call in self._calls.values():
                        call.fail(error)
                    return
                await asyncio.sleep(wait_after(error, pause))
        self._reconnecting = None
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
