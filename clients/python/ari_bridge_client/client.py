"""A user of the server: places, takes and commands calls over one WebSocket, which is made again when it is lost.

async with Client("http://127.0.0.1:3000") as client:
    call = await client.call("601")
    await call.heard.wait_for_tone(1004)

Knows no media: `media.py` says what a call needs of them.
"""

import asyncio
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from ari_bridge_client import media as media_module
from ari_bridge_client.call import Call
from ari_bridge_client.connection import Connection
from ari_bridge_client.errors import AuthenticationLost, ClientError, ConnectionLost, Refused, WaitTimeout
from ari_bridge_client.http_client import HttpClient
from ari_bridge_client.incoming import Incoming, Rings
from ari_bridge_client.media import Media
from ari_bridge_client.retry import backoff, wait_after
from ari_bridge_client.token_keeper import TokenProvider
from ari_bridge_client.urls import http_url, ws_url
from ari_bridge_protocol import messages
from ari_bridge_protocol.call_ids import new_call_id
from ari_bridge_protocol.messages import IceServer, ServerMessage

if TYPE_CHECKING:
    from ari_bridge_client.audio import Source
    from ari_bridge_client.preflight import Preflight

WELCOME_SECONDS = 5.0
BEGIN_SECONDS = 30.0
"""How long a call is asked for again where the connection is lost in the middle of it."""
_FATE_SECONDS = 3.0
_ENDED_KEPT = 32


class Client:
    """`url`: the server's, http(s):// or ws(s)://. As `async with`: at its end all calls are hung up.

    `user`: who to register as, with `password`, `token` or `token_provider` where the server wants one. A token is
    renewed in time, or another one asked for, as `HttpClient` says. Where there is none any more, `authentication_lost`
    says so: calls that stand are commanded all the same, until `update_token`; with none, the client is disconnected.
    `reconnects`: a lost connection is made again by itself, and calls outlive it; without, they are lost with it.
    `codec`: the only one that calls offer, e.g. PCMU, which costs far less than Opus; "": all that aiortc knows.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        token_provider: TokenProvider | None = None,
        origin: str | None = None,
        tls: ssl.SSLContext | None = None,
        reconnects: bool = True,
        codec: str = "",
    ) -> None:
        self.user = user
        self.http = HttpClient(http_url(url), token=token, token_provider=token_provider, tls=tls)  # as the same user
        self.authentication_lost: AuthenticationLost | None = None  # why no more calls are taken, nor can be made
        self.registered = False
        self.session = ""  # what takes this client's calls back on a later connection
        self.live: list[messages.CallSummary] = []  # the live calls of this user, as the server told last
        self.refusals: deque[messages.Error] = deque(maxlen=64)  # those that belong to no call
        self.connections = 0  # made so far, the one that stands included
        self.losses = 0  # of connections, so far
        self.ice_servers: Sequence[IceServer] = ()
        self.voicemail: messages.Voicemail | None = None
        self.people: dict[str, messages.PersonSummary] = {}  # by number
        self._password = password
        self._calls: dict[str, Call] = {}
        self._beginning: set[str] = set()  # the ids of those that wait for their first SDP answer
        self._rings = Rings(self._begin, self.ask)
        self._fates: dict[str, asyncio.Task[None]] = {}  # one for each call that ended out of sight
        self._told = 0  # how many `calls` messages came
        self._news = asyncio.Event()
        self._lost: ConnectionLost | AuthenticationLost | None = None
        self._reconnects = reconnects
        self._codec = codec
        self._reconnecting: asyncio.Task[None] | None = None
        self._authenticating: asyncio.Task[None] | None = None
        self._server = (ws_url(url), origin, tls)
        self._connection = self._new_connection()

    # --- life ----------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Connect, and register where there is a user. Raises ConnectionFailed, Refused, WaitTimeout."""
        try:
            if self.user and self._password is not None:
                await self.http.sign_in(self.user, self._password)
            elif self.user and self.http.token is None:
                await self.http.sign_in_again()
            await self._connection.open()
            await self.until(lambda: self.session, "welcome", WELCOME_SECONDS)
            if self.user:
                await self.register()
        except BaseException:
            await self._connection.close()
            await self.http.close()
            raise
        self.connections += 1
        self._authenticating = asyncio.create_task(self.http.stay_signed_in(), name="client-token")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Hang up what stands here, and disconnect: what cannot be hung up ends after the grace."""
        if self.connected:
            ours = [call for call in self._calls.values() if call.media and not call.ended and not call.taken_over]
            await asyncio.gather(*(call.hangup() for call in ours), return_exceptions=True)
        await self.drop()

    async def drop(self) -> None:
        """Vanish as a page that is closed: the connection and the media, without a word about the calls."""
        self._reconnects = False
        for task in filter(None, (self._reconnecting, self._authenticating)):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._connection.close()
        for task in self._fates.values():
            task.cancel()
        await asyncio.gather(*self._fates.values(), return_exceptions=True)
        self._lost = self._lost or ConnectionLost(reason="it was closed here")
        for call in list(self._calls.values()):
            call.break_off(self._lost)
            await call.close()
        await self.http.close()
        self._wake()

    @property
    def connected(self) -> bool:
        return self._lost is None and self._reconnecting is None

    async def reconnect(self) -> None:
        """A new connection that goes on with the session, and with its calls.

        Raises ConnectionFailed, ConnectionLost, Refused, WaitTimeout.
        """
        await self._connection.close()
        self._lost, self.registered = None, False
        self._connection = self._new_connection()
        await self._connection.open()
        told = self._told
        await self.ask(messages.Resume(self.session))
        await self.until(lambda: self._told > told, "calls", WELCOME_SECONDS)
        refused = await self._registered_again() if self.user else None
        live = {summary.call_id: summary for summary in self.live}
        known = [call for call in self._calls.values() if not call.ended and call.id not in self._beginning]
        gone = [call for call in known if call.id not in live]
        await asyncio.gather(*(self._fate(call) for call in gone))
        for call in self._calls.values():
            if not call.ended:
                if call.id in live:
                    call.catch_up(live[call.id])
                call.reconnected()
        if refused and not any(call.media and not call.ended for call in self._calls.values()):
            raise refused
        self.connections += 1
        self._wake()

    # --- as a user -------------------------------------------------------------------

    async def register(self) -> None:
        """Take calls for `user`. Raises Refused, WaitTimeout, ConnectionLost."""
        if not self.user:
            raise ValueError("a client without a user cannot register")
        self._rings.doubt()
        await self.ask(messages.Register(self.user, self.http.token))
        self.authentication_lost = None
        self._rings.settle()

    async def _registered_again(self) -> Refused | None:
        """None once it is so, else why there is no token that the server takes. Raises as `register`."""
        for last in (False, True):
            try:
                await self.register()
            except Refused as error:
                if error.code != "unauthorized":
                    raise
                if last or not await self.http.sign_in_again():
                    self.authentication_lost = AuthenticationLost(f"the server takes the token no more: {error.detail}")
                    return error
            else:
                break
        return None

    async def unregister(self) -> None:
        """Take no more calls; those that stand go on. Raises WaitTimeout, ConnectionLost."""
        self._rings.doubt()
        await self.ask(messages.Unregister())
        self._rings.settle()

    async def update_token(self, token: str) -> None:
        """From now on with this one, here and over HTTP. Raises Refused, WaitTimeout, ConnectionLost."""
        self.http.token = token
        if self.user and self.connected:
            await self.register()

    async def set_preferences(self, preferences: messages.Preferences) -> None:
        """What is to be done with calls for this user. Raises Refused, WaitTimeout, ConnectionLost."""
        await self.ask(preferences)

    # --- calls -----------------------------------------------------------------------

    async def call(
        self,
        target: str,
        source: "Source | None" = None,
        *,
        media: Media | None = None,
        caller: str | None = None,
        call_id: str | None = None,
        prefer: Literal["opus", "pcmu"] | None = None,
    ) -> Call:
        """Call a number; returns with the SDP answer, before the far side has answered.

        `source`: what to send, silence by default. `media`: others than aiortc's. `caller`: shown to the far side where
        there is no sign-in. `prefer`: the codec. Raises Refused, WaitTimeout, ConnectionLost, MediaMissing.
        """
        return await self._begin(call_id or new_call_id(), source, media, target=target, caller=caller, prefer=prefer)

    async def incoming(self, timeout: float | None = 5.0) -> Incoming:  # noqa: ASYNC109
        """The next call that rings here; `timeout` None: as long as it takes.

        Raises WaitTimeout, ConnectionLost, AuthenticationLost.
        """
        here = lambda: self._rings.waiting or self.authentication_lost  # noqa: E731
        await self.until(here, f"incoming call for {self.user}", timeout)
        if self.authentication_lost and not self._rings.waiting:
            raise self.authentication_lost
        return self._rings.waiting.popleft()

    async def take_over(self, call_id: str, source: "Source | None" = None, *, media: Media | None = None) -> Call:
        """Bring a call of this user here, from another page. Raises as `call` does."""
        return await self._begin(call_id, source, media, take_over=True)

    def control(self, call_id: str) -> Call:
        """A live call of this user whose sound is elsewhere, to be commanded and followed; here it has no media.

        Raises WaitTimeout where there is none.
        """
        summary = next((one for one in self.live if one.call_id == call_id), None)
        if summary is None:
            raise WaitTimeout(f"{self.user or 'nobody'} has no live call {call_id}")
        if call_id not in self._calls:
            self._calls[call_id] = Call(self, call_id, None)
            self._calls[call_id].catch_up(summary)
        return self._calls[call_id]

    async def run_preflight(self, seconds: float = 3.0) -> "Preflight":
        """A call to the server's echo, and how it sounds. Raises ClientError where none can be made."""
        from ari_bridge_client.preflight import run

        return await run(self, seconds)

    async def _begin(self, call_id: str, source: "Source | None", media: Media | None, **offer: Any) -> Call:
        await self._forget()
        call = Call(self, call_id, media or media_module.webrtc(source, self._codec))
        self._calls[call_id] = call
        self._beginning.add(call_id)
        try:
            await self._until_it_is_begun(call, offer)
        except BaseException:
            del self._calls[call_id]
            await call.close()
            raise
        finally:
            self._beginning.discard(call_id)
        return call

    async def _until_it_is_begun(self, call: Call, offer: dict[str, Any]) -> None:
        """Asked again where the connection is lost before the SDP answer came: by the same id, so no second call comes
        of it. Raises as `call` does, a loss of the connection only after BEGIN_SECONDS.
        """
        deadline, losses = time.monotonic() + BEGIN_SECONDS, self.losses
        for pause in backoff():
            connections = self.connections
            try:
                await call.offer(**offer)
                return await call.answered()
            except ConnectionLost:
                if not self._reconnects or time.monotonic() > deadline:
                    raise
            except Refused as error:  # a server that was just started may not have reached the PBX yet
                if self.losses == losses or error.code != "unavailable" or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(min(wait_after(error, pause), 1.0))
                continue
            await self.online(max(0.1, deadline - time.monotonic()), after=connections)
            if "target" in offer and await self._heard_of(call):
                offer = {}  # new media for the call that it has become
            if call.ended:
                return None

    async def _heard_of(self, call: Call) -> bool:
        """Whether the server knows of the call that was asked for; one that has ended is over."""
        if any(one.call_id == call.id for one in self.live):
            return True
        try:
            told = await self.http.call(call.id)
        except ClientError as error:
            return not (isinstance(error, Refused) and error.code == "unknown_call")
        if told.state == "ended":
            await self._fate(call)
        return True

    async def _forget(self) -> None:
        """Calls that ended long ago: what comes of them still is nothing that they would tell."""
        ended = [call for call in self._calls.values() if call.ended]
        for call in ended[:-_ENDED_KEPT]:
            del self._calls[call.id]
            self._fates.pop(call.id, None)
            await call.close()

    # --- the connection ----------------------------------------------------------------

    async def send(self, message: messages.ClientMessage) -> None:
        """Raises ConnectionLost."""
        await self._connection.send(message)

    async def ask(self, message: messages.ClientMessage) -> None:
        """Send it, and wait until the server has begun what it asks. Raises Refused, WaitTimeout, ConnectionLost."""
        await self._connection.ask(message)

    async def until(self, condition: Callable[[], Any], what: str, timeout: float | None) -> None:  # noqa: ASYNC109
        """Until `condition()` holds, looked at with every message.

        Raises WaitTimeout, ConnectionLost, AuthenticationLost.
        """
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._lost and self._reconnecting is None:
                        raise self._lost
                    await self._news.wait()
        except TimeoutError:
            raise WaitTimeout(f"no {what} within {timeout:g} s") from None

    async def online(self, timeout: float = 10.0, *, after: int = 0) -> None:  # noqa: ASYNC109
        """Until a connection stands, and the server has told the calls; one that came `after` so many others.

        Raises WaitTimeout.
        """
        try:
            async with asyncio.timeout(timeout):
                while not self.connected or self.connections <= after:
                    await self._news.wait()
        except TimeoutError:
            raise WaitTimeout(f"no connection within {timeout:g} s") from None

    def _new_connection(self) -> Connection:
        url, origin, tls = self._server
        return Connection(
            url,
            on_message=self._receive,
            on_lost=self._on_lost,
            token=self.http.token,
            origin=origin,
            tls=tls,
            beats=True,
        )

    def _receive(self, message: ServerMessage) -> None:
        call_id = getattr(message, "call_id", None)
        match message:
            case messages.Welcome(session=session):
                self.session = self.session or session
            case messages.Resumed(session=session):
                self.session = session
            case messages.Registered():
                self.registered = True
            case messages.Unregistered():
                self.registered = False
            case messages.IceServers(servers=servers):
                self.ice_servers = servers
            case messages.Calls(calls=calls):
                self.live = calls
                self._told += 1
                self._follow()
            case messages.Reconnect(within=within):
                self._reconnect_soon(random.uniform(0.0, within))
            case messages.IncomingCall():
                self._rings.begin(message)
            case messages.IncomingEnded(reason=reason):
                self._rings.stop(message.call_id, reason)
            case messages.Voicemail():
                self.voicemail = message
            case messages.People(people=people):
                self.people = {one.number: one for one in people}
            case messages.PeopleChanged(people=people):
                self.people |= {one.number: one for one in people}
            case _ if call_id in self._calls:
                self._calls[call_id].take(message)
            case messages.Error():
                self.refusals.append(message)
        self._wake()

    def _follow(self) -> None:
        """Calls whose sound is elsewhere: the list is all that is told of them."""
        live = {summary.call_id: summary for summary in self.live}
        for call in self._calls.values():
            if call.media is None and not call.ended and self.connected:
                if summary := live.get(call.id):
                    call.catch_up(summary)
                elif call.id not in self._fates:
                    self._fates[call.id] = asyncio.create_task(self._fate(call))

    async def _fate(self, call: Call) -> None:
        """What became of a call that is not live any more; nobody knows where the server does not tell."""
        try:
            async with asyncio.timeout(_FATE_SECONDS):
                told = await self.http.call(call.id)
        except (ClientError, TimeoutError):
            call.over(None, "It ended while the connection was away.", accepted=False)
            return
        if told.state not in ("ended", "ending") and call.media and "accepted" not in call.history:
            self._fates[call.id] = asyncio.create_task(self._answer_again(call))
            return
        why = told.cause.text if told.cause else ""
        call.over(told.left or told.outcome, why, accepted=told.answered_at is not None, at=told.ended_at or 0.0)

    async def _answer_again(self, call: Call) -> None:
        """It rings again: its server died after the SDP answer, and before the caller was answered."""
        deadline = time.monotonic() + BEGIN_SECONDS
        for pause in backoff():
            try:
                return await call.renew()
            except ClientError as error:
                if call.ended:
                    return None
                if time.monotonic() > deadline:
                    return call.over(None, str(error), accepted=False)
                await asyncio.sleep(min(wait_after(error, pause), 1.0))

    def _on_lost(self, lost: ConnectionLost) -> None:
        self._lost = lost
        self.losses += 1
        for call in self._calls.values():
            call.reconnecting(str(lost))
            if not self._reconnects:
                call.break_off(lost)
        self._reconnect_soon(0.0)
        self._wake()

    def _reconnect_soon(self, after: float) -> None:
        if self._reconnects and self._reconnecting is None:
            self._reconnecting = asyncio.create_task(self._reconnect_until_it_works(after))

    async def _reconnect_until_it_works(self, after: float) -> None:
        await asyncio.sleep(after)
        for pause in backoff():
            try:
                await self.reconnect()
                if self._lost is None:  # and not lost again at the same moment
                    break
            except ClientError as error:
                if isinstance(error, Refused) and error.code == "unauthorized":
                    self._give_up(error)
                    return
                await asyncio.sleep(wait_after(error, pause))
        self._reconnecting = None
        self._wake()

    def _give_up(self, error: Refused) -> None:
        self._lost = self.authentication_lost = AuthenticationLost(
            f"the server takes neither session nor token any more: {error.detail}"
        )
        self._reconnecting = None
        for call in self._calls.values():
            call.break_off(self._lost)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
