"""A user of the server: places, takes and controls calls over one WebSocket, which reconnects when it is lost.

async with Client("http://127.0.0.1:3000") as client:
    call = await client.call("601")
    await call.received_audio.wait_for_tone(1004)

It knows no media: `media.py` says what a call needs of them.
"""

import asyncio
import random
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from ari_bridge_client.call import Call
from ari_bridge_client.call_setup import CallSetup
from ari_bridge_client.connection import KEEPALIVE_INTERVAL_S, Connection
from ari_bridge_client.ended_call_lookup import EndedCallLookup
from ari_bridge_client.errors import AuthenticationLost, ConnectionLost, Refused, WaitTimeout
from ari_bridge_client.http_client import HttpClient
from ari_bridge_client.incoming import IncomingCall, RingingCalls
from ari_bridge_client.media import Media
from ari_bridge_client.media_factory import create_media
from ari_bridge_client.reconnector import Reconnector
from ari_bridge_client.token_keeper import TokenProvider
from ari_bridge_client.urls import http_url, ws_url
from ari_bridge_protocol import messages
from ari_bridge_protocol.call_ids import new_call_id
from ari_bridge_protocol.messages import IceServer, ServerMessage

if TYPE_CHECKING:
    from ari_bridge_client.audio import Source

WELCOME_TIMEOUT_S = 5.0
MAX_ENDED_CALLS = 32
_MAX_ERRORS = 64


class Client:
    """Calls over a WebSocket. Use it as `async with`; all its calls are hung up at the end.

    Args:
        url: The server's address: http(s):// or ws(s)://.
        user: The user to register as, to receive calls. None: calls are only placed.
        password: The user's password, if the server asks for sign-in. The client signs in with it.
        token: A token of the user, in place of a password.
        token_provider: Returns another token when there is none, or the server accepts the last one no more.
        origin: The Origin header to send.
        tls: The TLS context, e.g. with a certificate authority of your own. None: the system's.
        reconnects: Whether to reconnect when the connection is lost. Calls survive it; without, they are lost with it.
        codec: The only codec that calls offer, e.g. PCMU, which costs far less than Opus. "": all that aiortc knows.
        keepalive_interval: Seconds between pings. The server takes a client for frozen after 9 s of silence.
        max_ended_calls: How many ended calls are kept.

    Attributes:
        authentication_lost: Why no more calls can be placed or received. Calls in progress can be controlled all the
            same, until `update_token` is called; if there is none, the client is disconnected.
        http: An `HttpClient` with the same token.
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
        keepalive_interval: float = KEEPALIVE_INTERVAL_S,
        max_ended_calls: int = MAX_ENDED_CALLS,
    ) -> None:
        self.user = user
        self.http = HttpClient(http_url(url), token=token, token_provider=token_provider, tls=tls)
        self.authentication_lost: AuthenticationLost | None = None
        self.registered = False
        self.signaling_session = ""  # by which a later connection takes this client's calls back
        self.live_calls: list[messages.CallSummary] = []  # of this user, as the server last listed them
        self.errors: deque[messages.Error] = deque(maxlen=_MAX_ERRORS)  # those that belong to no call
        self.connection_count = 0  # connections made so far, including the current one
        self.connection_losses = 0
        self.ice_servers: Sequence[IceServer] = ()
        self.voicemail: messages.Voicemail | None = None
        self.people: dict[str, messages.PersonSummary] = {}  # by number
        self._password = password
        self._calls: dict[str, Call] = {}
        self._starting: set[str] = set()  # the ids of calls that wait for their first SDP answer
        self._ringing = RingingCalls(self._start_call, self.request)
        self._ended_calls = EndedCallLookup(self.http)
        self._setup = CallSetup(self, self._ended_calls, reconnects=lambda: self._reconnects)
        self._call_lists = 0  # `calls` messages received
        self._changed = asyncio.Event()  # replaced at each change, so that every waiter wakes once
        self._lost: ConnectionLost | AuthenticationLost | None = None
        self._reconnects = reconnects
        self._codec = codec
        self._keepalive_interval = keepalive_interval
        self._max_ended_calls = max_ended_calls
        self._reconnector = Reconnector(self._try_to_reconnect, self._on_reconnector_done)
        self._renewing_token: asyncio.Task[None] | None = None
        self._server = (ws_url(url), origin, tls)
        self._connection = self._new_connection()

    # --- connecting ------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Connect, and register if there is a user. Raises ConnectionFailed, Refused, WaitTimeout."""
        try:
            if self.user and self._password is not None:
                await self.http.sign_in(self.user, self._password)
            elif self.user and self.http.token is None:
                await self.http.replace_token()
            await self._connection.open()
            await self.wait_until(lambda: self.signaling_session, "welcome", WELCOME_TIMEOUT_S)
            if self.user:
                await self.register()
        except BaseException:
            await self._connection.close()
            await self.http.close()
            raise
        self.connection_count += 1
        self._renewing_token = asyncio.create_task(self.http.keep_token_valid(self._authenticate), name="client-token")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Hang up this client's calls, and disconnect. A call that cannot be hung up ends after the server's grace."""
        if self.connected:
            ours = [call for call in self._calls.values() if call.media and not call.ended and not call.taken_over]
            await asyncio.gather(*(call.hangup() for call in ours), return_exceptions=True)
        await self.abort()

    async def abort(self) -> None:
        """Disconnect at once, without hanging up: like a page that is closed, or a program that is killed."""
        self._reconnects = False
        await self._reconnector.cancel()
        if self._renewing_token:
            self._renewing_token.cancel()
            await asyncio.gather(self._renewing_token, return_exceptions=True)
        await self._connection.close()
        await self._ended_calls.close()
        self._lost = self._lost or ConnectionLost(reason="it was closed here")
        for call in list(self._calls.values()):
            call.fail(self._lost)
            await call.close()
        await self.http.close()
        self._notify()

    @property
    def connected(self) -> bool:
        return self._lost is None and not self._reconnector.active

    async def reconnect(self) -> None:
        """Make a new connection that resumes the session with its calls.

        Raises ConnectionFailed, ConnectionLost, Refused, WaitTimeout.
        """
        await self._connection.close()
        self._lost, self.registered = None, False
        self._connection = self._new_connection()
        await self._connection.open()
        lists = self._call_lists
        await self.request(messages.Resume(self.signaling_session, self.http.token))
        await self.wait_until(lambda: self._call_lists > lists, "calls", WELCOME_TIMEOUT_S)
        refused = await self._register_again() if self.user else None
        live = {summary.call_id: summary for summary in self.live_calls}
        known = [call for call in self._calls.values() if not call.ended and call.id not in self._starting]
        gone = [call for call in known if call.id not in live]
        await asyncio.gather(*(self._ended_calls.look_up(call) for call in gone))
        for call in self._calls.values():
            if not call.ended:
                if call.id in live:
                    call.sync(live[call.id])
                call.on_reconnected()
        if refused and not any(call.media and not call.ended for call in self._calls.values()):
            raise refused
        self.connection_count += 1
        self._notify()

    # --- as a user -------------------------------------------------------------------

    async def register(self) -> None:
        """Receive calls for `user`. Raises Refused, WaitTimeout, ConnectionLost."""
        if not self.user:
            raise ValueError("a client without a user cannot register")
        self._ringing.begin_resync()
        await self.request(messages.Register(self.user, self.http.token))
        self.authentication_lost = None
        self._ringing.end_resync()

    async def _register_again(self) -> Refused | None:
        """None once registered, else why there is no token that the server accepts. Raises as `register` does."""
        for last in (False, True):
            try:
                await self.register()
            except Refused as error:
                if error.code != "unauthorized":
                    raise
                if last or not await self.http.replace_token():
                    reason = f"the server does not accept the token any more: {error.detail}"
                    self.authentication_lost = AuthenticationLost(reason)
                    return error
            else:
                break
        return None

    async def _authenticate(self) -> None:
        """The connection goes on with the new token. Raises Refused, WaitTimeout, ConnectionLost."""
        if self.registered and self.connected and self.http.token:
            await self.request(messages.Authenticate(self.http.token))

    async def unregister(self) -> None:
        """Receive no more calls; calls in progress go on. Raises WaitTimeout, ConnectionLost."""
        self._ringing.begin_resync()
        await self.request(messages.Unregister())
        self._ringing.end_resync()

    async def update_token(self, token: str) -> None:
        """Use this token from now on, here and over HTTP. Raises Refused, WaitTimeout, ConnectionLost."""
        self.http.token = token
        if self.user and self.connected:
            await self.register()

    async def set_preferences(self, preferences: messages.Preferences) -> None:
        """Set what happens to this user's calls. Raises Refused, WaitTimeout, ConnectionLost."""
        await self.request(preferences)

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
        """Call a number. Returns with the SDP answer, before the other side has answered.

        Args:
            target: The number.
            source: The sound to send. None: silence.
            media: Media to use in place of aiortc's.
            caller: The number shown to the other side, if the server asks for no sign-in.
            call_id: An id of your own: 1 to 128 printable characters.
            prefer: The codec to prefer.

        Raises Refused, WaitTimeout, ConnectionLost, MediaMissing.
        """
        offer = {"target": target, "caller": caller, "prefer": prefer}
        return await self._start_call(call_id or new_call_id(), source, media, **offer)

    async def incoming(self, timeout: float | None = 5.0) -> IncomingCall:  # noqa: ASYNC109
        """The next call that rings here.

        Args:
            timeout: Seconds to wait; None: without limit.

        Raises WaitTimeout, ConnectionLost, AuthenticationLost.
        """
        here = lambda: self._ringing.pending or self.authentication_lost  # noqa: E731
        await self.wait_until(here, f"incoming call for {self.user}", timeout)
        if self.authentication_lost and not self._ringing.pending:
            raise self.authentication_lost
        return self._ringing.pending.popleft()

    async def take_over(self, call_id: str, source: "Source | None" = None, *, media: Media | None = None) -> Call:
        """Move a call of this user from another client to this one. Arguments and errors as with `call`."""
        return await self._start_call(call_id, source, media, take_over=True)

    def control(self, call_id: str) -> Call:
        """A live call of this user whose media are elsewhere, to control and follow it. Here it has no media.

        Raises WaitTimeout if there is no such call.
        """
        summary = next((one for one in self.live_calls if one.call_id == call_id), None)
        if summary is None:
            raise WaitTimeout(f"user {self.user or '(none)'} has no live call {call_id}")
        if call_id not in self._calls:
            self._calls[call_id] = Call(self, call_id, None)
            self._calls[call_id].sync(summary)
        return self._calls[call_id]

    async def _start_call(self, call_id: str, source: "Source | None", media: Media | None, **offer: Any) -> Call:
        await self._forget_ended_calls()
        call = Call(self, call_id, media or create_media(source, self._codec))
        self._calls[call_id] = call
        self._starting.add(call_id)
        try:
            await self._setup.run(call, offer)
        except BaseException:
            del self._calls[call_id]
            await call.close()
            raise
        finally:
            self._starting.discard(call_id)
        return call

    async def _forget_ended_calls(self) -> None:
        """All but the last few: messages about the others would change nothing any more."""
        ended = [call for call in self._calls.values() if call.ended]
        for call in ended[: -self._max_ended_calls]:
            del self._calls[call.id]
            self._ended_calls.forget(call)
            await call.close()

    # --- the connection ----------------------------------------------------------------

    async def send(self, message: messages.ClientMessage) -> None:
        """Send a message. Raises ConnectionLost."""
        await self._connection.send(message)

    async def request(self, message: messages.ClientMessage) -> None:
        """Send a message, and wait until the server has taken it. Raises Refused, WaitTimeout, ConnectionLost."""
        await self._connection.request(message)

    async def wait_until(self, condition: Callable[[], Any], what: str, timeout: float | None) -> None:  # noqa: ASYNC109
        """Wait until `condition()` is true; it is checked with every message.

        Args:
            condition: What to wait for.
            what: Its name in the error.
            timeout: Seconds; None: without limit.

        Raises WaitTimeout, ConnectionLost, AuthenticationLost.
        """
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._lost and not self._reconnector.active:
                        raise self._lost
                    await self._changed.wait()
        except TimeoutError:
            raise WaitTimeout(f"no {what} within {timeout:g} s") from None

    async def wait_connected(self, timeout: float = 10.0, *, after: int = 0) -> None:  # noqa: ASYNC109
        """Wait until the client is connected, and has the list of its calls.

        Args:
            timeout: Seconds.
            after: A `connection_count`: wait for a later connection than that one.

        Raises WaitTimeout.
        """
        try:
            async with asyncio.timeout(timeout):
                while not self.connected or self.connection_count <= after:
                    await self._changed.wait()
        except TimeoutError:
            raise WaitTimeout(f"no connection within {timeout:g} s") from None

    def _new_connection(self) -> Connection:
        url, origin, tls = self._server
        return Connection(
            url,
            on_message=self._on_message,
            on_lost=self._on_lost,
            token=self.http.token,
            origin=origin,
            tls=tls,
            keepalive_interval=self._keepalive_interval,
        )

    def _on_message(self, message: ServerMessage) -> None:
        call_id = getattr(message, "call_id", None)
        match message:
            case messages.Welcome(session=session):
                self.signaling_session = self.signaling_session or session
            case messages.Resumed(session=session):
                self.signaling_session = session
            case messages.Registered(session=session):
                self.registered, self.signaling_session = True, session or self.signaling_session
            case messages.Authenticated(session=session):
                self.signaling_session = session or self.signaling_session
            case messages.Unregistered():
                self.registered = False
            case messages.IceServers(servers=servers):
                self.ice_servers = servers
            case messages.Calls(calls=calls):
                self.live_calls = calls
                self._call_lists += 1
                self._sync_controlled_calls()
            case messages.Reconnect(within=within):
                self._reconnect_later(random.uniform(0.0, within))
            case messages.IncomingCall():
                self._ringing.add(message)
            case messages.IncomingEnded(reason=reason):
                self._ringing.stop(message.call_id, reason)
            case messages.Voicemail():
                self.voicemail = message
            case messages.People(people=people):
                self.people = {one.number: one for one in people}
            case messages.PeopleChanged(people=people):
                self.people |= {one.number: one for one in people}
            case _ if call_id in self._calls:
                self._calls[call_id].on_message(message)
            case messages.Error():
                self.errors.append(message)
        self._notify()

    def _sync_controlled_calls(self) -> None:
        """Calls whose media are elsewhere: the list is the only news of them."""
        live = {summary.call_id: summary for summary in self.live_calls}
        for call in self._calls.values():
            if call.media is None and not call.ended and self.connected:
                if summary := live.get(call.id):
                    call.sync(summary)
                else:
                    self._ended_calls.look_up_soon(call)

    def _on_lost(self, lost: ConnectionLost) -> None:
        self._lost = lost
        self.connection_losses += 1
        for call in self._calls.values():
            call.on_connection_lost(str(lost))
            if not self._reconnects:
                call.fail(lost)
        self._reconnect_later(0.0)
        self._notify()

    def _reconnect_later(self, after: float) -> None:
        if self._reconnects:
            self._reconnector.start(after)

    async def _try_to_reconnect(self) -> bool:
        await self.reconnect()
        return self._lost is None

    def _on_reconnector_done(self, locked_out: Refused | None) -> None:
        if locked_out:
            reason = f"the server accepts neither the session nor the token any more: {locked_out.detail}"
            self._lost = self.authentication_lost = AuthenticationLost(reason)
            for call in self._calls.values():
                call.fail(self._lost)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
