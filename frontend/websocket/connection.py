"""One client: what it asks of its calls, and what it is told of them."""

import asyncio
import time
from collections import deque
from typing import Literal, Protocol, cast

import msgspec
import structlog
from aiohttp import web

from ari_bridge.engine.call_manager import CallManager
from ari_bridge.engine.prewarm import LegDiscarded, LegReady
from ari_bridge.errors import CallerError, InvalidRequest, Unavailable, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.fsm.notifications import (
    DigitReceived,
    HoldChanged,
    MediaNeeded,
    MediaReady,
    Notification,
    PartyChanged,
    RecordingChanged,
    RequestRefused,
    StateChanged,
    TransferEnded,
)
from ari_bridge.ids import leg_id
from ari_bridge_protocol import messages
from ari_bridge_protocol.messages import ClientMessage
from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.auth.sessions import Sessions
from frontend.calls.commands import execute
from frontend.calls.permissions import Principal, check_owns
from frontend.calls.views import (
    REFUSED,
    hold_message,
    incoming_message,
    party_message,
    recording_message,
    state_message,
    summary,
    transfer_message,
)
from frontend.presence.preferences import UserServices
from frontend.presence.registrar import WebSocketRegistrar
from frontend.webrtc.ice_servers import IceServers
from frontend.webrtc.trickle_ice import Trickle, Trickles
from frontend.websocket.media_checks import FarPackets, MediaChecks
from frontend.websocket.message_socket import MessageSocket

SUPERSEDED = 4001
"""A close code of our own (RFC 6455 section 7.4.2): the session goes on in another connection."""

EndReason = Literal["accepted_elsewhere", "answered_elsewhere", "declined", "cancelled", "no_answer"]

log = structlog.get_logger(__name__)


class OwnedElsewhere(CallerError):
    """Another page of the user holds the call, and `takeOver` was not asked for."""

    code = "owned_elsewhere"


class PageMedia(Trickles, FarPackets, Protocol):
    """What pages ask of the rtpengines."""


class Shared(Protocol):
    """What connections share: `Connections`."""

    calls: CallManager
    pages: WebSocketRegistrar
    user_services: UserServices
    access: Authenticator
    sessions: Sessions
    media: PageMedia
    ice: IceServers
    version: str

    def claim(self, session: str, connection: "ClientConnection") -> None:
        """The session goes on in this connection; one that held it before is closed."""

    def release(self, session: str, connection: "ClientConnection") -> None:
        """The session is in no connection any more, unless another one claimed it."""

    def holder(self, session: str | None) -> "ClientConnection | None":
        """The open connection of a session."""

    def changed(self, call: Call) -> None:
        """Tell the pages that the call concerns how their calls stand."""


class ClientConnection:
    """`user`: whom the address says that it takes calls for; "": it says nothing."""

    def __init__(
        self, shared: Shared, socket: web.WebSocketResponse, authorization: str | None, user: str = ""
    ) -> None:
        self._shared = shared
        self.session = shared.sessions.new()
        self._calls = shared.calls
        self._wire = MessageSocket(socket, self._act, lambda: self._user)
        self.send = self._wire.send
        self.close = self._wire.close
        self._authorization = authorization
        self._user_of_address = user
        self._user: str | None = None  # registered as, now or before
        self._follows = False  # registered or resumed: it is told how its calls stand
        self._telling: asyncio.Handle | None = None
        self._mine: set[str] = set()  # live calls that this connection holds
        self._ringing: set[str] = set()
        self._rang: deque[str] = deque(maxlen=16)  # rang here, the last ones
        self._accepting: str | None = None
        self._trickle = Trickle(shared.media)
        self._media_checks = MediaChecks(shared.media)
        self._prepared = ("", "")  # the last call that media was made ahead of, and its offer
        self._ice_again: asyncio.TimerHandle | None = None  # until the servers' credentials are told anew

    @property
    def _principal(self) -> Principal:
        return Principal(self._user)

    # --- life ------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the client or the server closes."""
        self._shared.claim(self.session, self)
        token = self._shared.sessions.token(self.session)
        self.send(messages.Welcome(self._shared.version, self._shared.access.required, token))
        self._tell_ice_servers()
        if self._user_of_address:
            self._wire.take(messages.Register(self._user_of_address))
        try:
            await self._wire.run()
        finally:
            await self._trickle.close()
            await self._media_checks.close()
            self._shared.release(self.session, self)
            self._leave()
            await self._wire.closed()

    def _leave(self) -> None:
        """What a closed connection leaves: no ringing, and calls that go on without it."""
        self._unregister()
        self._calls.discard_media(self.session)
        for handle in (self._telling, self._ice_again):
            if handle:
                handle.cancel()
        if self._mine:
            log.info("a client that holds calls is gone: they go on for the grace", calls=sorted(self._mine))
        for call_id in list(self._mine):
            self._calls.detach(call_id, self._update)

    def supersede(self) -> None:
        """The session goes on in another connection: this one seems to stand only."""
        for call_id in self._mine:
            self._calls.unwatch(call_id, self._update)
        self._mine.clear()
        self._wire.drop("its session goes on in another connection", SUPERSEDED)

    # --- from the client ---------------------------------------------------------------

    def _act(self, message: ClientMessage) -> None:
        match message:
            case messages.Resume(token):
                self._resume(token)
            case messages.Register():
                self._register(message)
            case messages.Unregister():
                self._take_no_calls()
            case messages.Offer():
                self._offer(message)
            case messages.PrepareMedia():
                self._prepare_media(message)
            case messages.DiscardMedia():
                self._calls.discard_media(self.session)
            case messages.Hangup(call_id):
                if call_id in self._ringing and self._user:
                    self._calls.decline(call_id, user=self._user)
                else:
                    self._check_mine(call_id)
                    self._calls.hangup(call_id)
            case messages.Decline(call_id):
                if self._user is None:
                    raise UnknownCall(f"The call {call_id[:64]} does not ring here.", field="callId")
                self._calls.decline(call_id, user=self._user)
            case messages.Candidate():
                self._candidate(message)
            case (
                messages.Dtmf()
                | messages.Hold()
                | messages.Transfer()
                | messages.AddParty()
                | messages.DropParty()
                | messages.Leave()
                | messages.Record()
            ):
                execute(self._calls, message, self._check_mine)
            case messages.Feedback():
                execute(self._calls, message, self._check_was_mine)
            case messages.Quality(call_id, report):
                self._check_was_mine(call_id)
                self._calls.feedback.report_quality(call_id, msgspec.to_builtins(report))
            case messages.Preferences():
                self._shared.user_services.ask(self._user, self, message)
            case messages.CheckMedia(call_id):
                self._check_mine(call_id)
                leg = leg_id(call_id, self._calls.get(call_id).leg)
                self._media_checks.check(leg, lambda sounds: self.send(messages.MediaChecked(call_id, sounds)))
            case messages.Ping(id):
                self._wire.watch_for_frost(lambda: bool(self._mine))
                self.send(messages.Pong(id))

    def _resume(self, token: str) -> None:
        session = self._shared.sessions.read(token)
        if session != self.session:
            self._shared.release(self.session, self)
        self.session = session
        self._shared.claim(session, self)
        self._follows = True
        self.send(messages.Resumed(token))
        for call in self._calls.live():
            if call.session == session and not call.left:
                self.hold(call)
        self._tell_calls()
        self._tell_ice_servers()

    def _register(self, message: messages.Register) -> None:
        token = message.token or (self._authorization or "").removeprefix("Bearer ").strip() or None
        user = self._shared.access.identify(message.user, token)
        self._unregister()
        self._user = user
        self._shared.pages.register(user, self)
        self._follows = True
        self.send(messages.Registered(user))
        self._tell_ice_servers()
        self._tell_calls()
        for call in self._calls.live():  # one that rings already rings here too
            if call.direction is Direction.INBOUND and call.state is CallState.RINGING and user in call.users:
                self.ring(call)
        self._shared.pages.told(user, self)

    def _take_no_calls(self) -> None:
        """Nothing rings here any more. Who the client is stays known: it may call."""
        for call_id in self._ringing:
            self.send(messages.IncomingEnded(call_id, "cancelled"))
        self._ringing.clear()
        if self._user is not None:
            self._shared.pages.unregister(self._user, self)
        self.send(messages.Unregistered())

    def _unregister(self) -> None:
        self._ringing.clear()
        if self._user is not None:
            self._shared.pages.unregister(self._user, self)
            self._user = None

    def _offer(self, message: messages.Offer) -> None:
        if message.target is None:
            self._take(message)
            return
        if self._shared.access.required and self._user is None:
            raise Unauthorized("Sign in first: send register with a token.")
        caller = self._user if self._shared.access.required else message.caller or self._user
        call = self._calls.place(
            target=message.target,
            sdp=message.sdp,
            caller=caller or "",
            user=self._user,
            session=self.session,
            call_id=message.call_id,
            prefer=message.prefer or "",
            listener=self._update,
        )
        if call.state.live:
            self._mine.add(call.id)

    def _prepare_media(self, message: messages.PrepareMedia) -> None:
        if self._shared.access.required and self._user is None:
            raise Unauthorized("Sign in first: send register with a token.")
        self._calls.prepare_media(
            message.call_id,
            sdp=message.sdp,
            session=self.session,
            user=self._user,
            prefer=message.prefer or "",
            listener=self._on_prewarm,
        )
        self._prepared = (message.call_id, message.sdp)

    def _candidate(self, message: messages.Candidate) -> None:
        """Of a call, or of the media that was made ahead of one: that has it when the call begins."""
        ahead, offer = self._prepared
        if message.call_id == ahead and message.call_id not in self._mine:
            self._trickle.take(ahead, offer, message.candidate)
            return
        self._check_mine(message.call_id)
        call = self._calls.get(message.call_id)
        self._trickle.take(call.id, call.offer, message.candidate)
        self._trickle.answered(call)

    def _on_prewarm(self, told: LegReady | LegDiscarded) -> None:
        match told:
            case LegReady(call_id, sdp):
                self.send(messages.MediaPrepared(call_id, sdp))
            case LegDiscarded(call_id, reason):
                self.send(messages.MediaDiscarded(call_id, reason))

    def _take(self, message: messages.Offer) -> None:
        """The offer is for a call that rings here, or stands."""
        if message.call_id is None:
            raise InvalidRequest("An offer needs a target to call, or the callId of a call.", field="target")
        call = self._calls.get(message.call_id)
        # Of a call that was being accepted when the server died, no offer is left: it rings, and is taken by this one.
        rings = call.user is None or (self._calls.awaits_adoption(call.id) and call.state is not CallState.UP)
        if rings and call.direction is Direction.INBOUND:
            self._accept(message)
        elif call.session == self.session:
            self._calls.renew_media(call.id, sdp=message.sdp, prefer=message.prefer or "")
        elif call.id in self._rang and not message.take_over:
            raise WrongState("The call was taken already, by another page.", field="callId")
        elif self._principal.owns(call):
            self._take_over(call, message)
        else:
            raise UnknownCall.named(call.id)

    def _take_over(self, call: Call, message: messages.Offer) -> None:
        """A call of this user that another page holds, or held."""
        holder = self._shared.holder(call.session)
        if holder is not None and not message.take_over:
            raise OwnedElsewhere(
                "The call goes on in another window: ask with takeOver to bring it here.", field="callId"
            )
        self._calls.renew_media(call.id, sdp=message.sdp, session=self.session, prefer=message.prefer or "")
        if holder is not None:
            holder.lose(call)
        self._mine.add(call.id)
        self._calls.attach(call.id, self._update)
        self._shared.changed(call)

    def hold(self, call: Call) -> None:
        """The call is this connection's: it was its session's all the time."""
        self._mine.add(call.id)
        try:
            self._calls.attach(call.id, self._update)
        except Unavailable:
            pass  # the server has just started: once it knows how the call stands, it is given to us

    def lose(self, call: Call) -> None:
        """Another page of the user has taken the call over."""
        self._mine.discard(call.id)
        self._calls.unwatch(call.id, self._update)
        self.send(messages.TakenOver(call.id))

    def _accept(self, message: messages.Offer) -> None:
        call_id = message.call_id or ""
        if self._user is None:
            raise UnknownCall(f"The call {call_id[:64]} does not ring here.", field="callId")
        self._accepting = call_id  # told to stop ringing are the others
        try:
            call = self._calls.accept(
                call_id,
                sdp=message.sdp,
                user=self._user,
                session=self.session,
                prefer=message.prefer or "",
                listener=self._update,
            )
        finally:
            self._accepting = None
        self._ringing.discard(call.id)
        if call.state.live:
            self._mine.add(call.id)

    def _check_mine(self, call_id: str) -> None:
        """Raises UnknownCall for a call that is not this client's."""
        if call_id not in self._mine:
            check_owns(self._principal, self._calls.get(call_id))

    def _check_was_mine(self, call_id: str) -> None:
        """As `_check_mine`, and of a call that has ended: whoever has not registered is known by the session."""
        if self._calls.get(call_id).session != self.session:
            self._check_mine(call_id)

    # --- to the client -------------------------------------------------------------------

    def concerned(self, call: Call) -> bool:
        """Whether the call is one of this session, or of this user."""
        if not self._follows or call.left:
            return False
        return call.session == self.session or self._principal.owns(call)

    def tell_calls_soon(self) -> None:
        """Once for all that changes at this moment."""
        if self._follows and self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell_calls)

    def _tell_calls(self) -> None:
        self._telling = None
        told = []
        for call in filter(self.concerned, self._calls.live()):
            here = call.session == self.session
            told.append(summary(call, here=here, attached=self._shared.holder(call.session) is not None))
        self.send(messages.Calls(told))

    def _tell_ice_servers(self) -> None:
        """Now, and again before the credentials end."""
        if self._ice_again:
            self._ice_again.cancel()
        ice = self._shared.ice
        # A call that stands is given new media also where its page's sign-in has ended meanwhile.
        relay = self._user is not None or bool(self._mine) or not self._shared.access.required
        told = ice.message(self._user, relay=relay, now=time.time())
        if told:
            self.send(told)
        if told and told.expires_at:
            self._ice_again = asyncio.get_running_loop().call_later(ice.renewed_after, self._tell_ice_servers)

    def ring(self, call: Call) -> None:
        if call.id not in self._ringing:
            self._ringing.add(call.id)
            self._rang.append(call.id)
            self.send(incoming_message(call))

    def update_caller(self, call: Call) -> None:
        if call.id in self._ringing and call.id != self._accepting:
            self.send(incoming_message(call))

    def stop_ringing(self, call: Call, reason: str) -> None:
        if call.id == self._accepting or call.id not in self._ringing:
            return
        self._ringing.discard(call.id)
        self.send(messages.IncomingEnded(call.id, cast(EndReason, reason)))

    def _update(self, call: Call, notification: Notification) -> None:
        match notification:
            case MediaReady():
                self.send(messages.Answer(call.id, call.answer))
                self._trickle.answered(call)
            case StateChanged():
                if call.left or not call.state.live:
                    self._mine.discard(call.id)
                self.send(state_message(call))
            case DigitReceived(digit=digit):
                self.send(messages.Dtmf(call.id, digit))
            case MediaNeeded(reason=reason):
                self.send(messages.MediaLost(call.id, reason))
            case RequestRefused(what=what):
                field = {"digits": "digits", "hold": "held"}.get(what)
                self.send(messages.Error("pbx_refuses", REFUSED[what], field, call_id=call.id))
            case HoldChanged(by_us=by_us):
                self.send(hold_message(call, by_us=by_us))
            case PartyChanged(party=party):
                self.send(party_message(call, party))
            case TransferEnded(party=party, failure=failure):
                self.send(transfer_message(call, party, failure))
            case RecordingChanged(failure=failure):
                self.send(recording_message(call, failure))
