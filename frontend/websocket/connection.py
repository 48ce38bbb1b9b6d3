"""One client of the WebSocket: what it asks of its calls, and what it is sent about them.

`session_registry.py` explains how a client comes back after its connection was lost.
"""

import asyncio

import msgspec
import structlog
from aiohttp import web

from ari_bridge.audit import Action, Result, acting
from ari_bridge.errors import InvalidRequest, Unavailable, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.fsm.notifications import MediaReady, Notification, StateChanged
from ari_bridge_protocol import messages
from ari_bridge_protocol.close_codes import CLOSE_SIGN_IN_ENDED, CLOSE_SUPERSEDED
from ari_bridge_protocol.messages import ClientMessage
from frontend.auth.api_keys import credential_of
from frontend.auth.authenticator import Forbidden, Unauthorized
from frontend.auth.grants import PHONE, Grant
from frontend.auth.principal import Principal
from frontend.calls.commands import execute
from frontend.calls.permissions import check_dials, check_forwards, check_may, check_owns, check_rang, owns
from frontend.calls.views import message_of, summary
from frontend.webrtc.trickle_ice import Trickle
from frontend.websocket.ice_updates import IceUpdates
from frontend.websocket.media_checks import MediaChecks
from frontend.websocket.message_socket import MessageSocket
from frontend.websocket.prepared_media import PreparedMedia
from frontend.websocket.rate_limit import Quota
from frontend.websocket.ringing import RingingCalls
from frontend.websocket.services import ConnectionServices
from frontend.websocket.session_registry import OwnedElsewhere, SessionRegistry
from frontend.websocket.token_expiry import TokenExpiry, check_expiry, has_expired

log = structlog.get_logger(__name__)


class ClientConnection:
    """One open WebSocket.

    Args:
        services: What it shares with the other connections.
        registry: Which connection each signaling session is in.
        socket: The open WebSocket.
        authorization: The header `Authorization` of the upgrade request.
        user: The user to register as at once, from the address; "" for none.
        address: The client's IP address.
        origin: The header `Origin` of the upgrade request.
        quota: What it may take of its user's share.
    """

    def __init__(
        self,
        services: ConnectionServices,
        registry: "SessionRegistry[ClientConnection]",
        socket: web.WebSocketResponse,
        quota: Quota,
        authorization: str | None,
        user: str = "",
        address: str = "",
        origin: str | None = None,
    ) -> None:
        self._services = services
        self._registry = registry
        self.session = services.sessions.new()
        self._calls = services.calls
        self._socket = MessageSocket(socket, self._on_message, lambda: self._user, quota)
        self.send = self._socket.send
        self.close = self._socket.close
        self.drop = self._socket.drop
        self._credential = credential_of(authorization)
        self._origin = origin
        self._user_of_address = user
        self._user: str | None = None  # registered as, now or before
        self._address = address
        self._claim = quota.claim
        self.principal = self._nobody  # who has registered or resumed
        self._subscribed = False  # has registered or resumed: is sent `calls`
        self._calls_scheduled: asyncio.Handle | None = None
        self._owned: set[str] = set()  # live calls that this connection owns
        self._ringing = RingingCalls(self.send)
        self._trickle = Trickle(services.media)
        self._media_checks = MediaChecks(services.media)
        self._prepared = PreparedMedia(services.calls, self.send)
        self._ice = IceUpdates(services.ice, self.send)
        self._expiry = TokenExpiry(self)

    @property
    def _nobody(self) -> Principal:
        """Who has not registered: without sign-in that is enough for calls."""
        return Principal(None, grants=frozenset() if self._services.access.required else PHONE, address=self._address)

    # --- life ------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the client or the server closes."""
        self._registry.bind(self.session, self)
        version, required = self._services.version, self._services.access.required
        self.send(messages.Welcome(version, required, self._session_token()))
        self._send_ice_servers()
        if self._user_of_address:
            self._socket.handle(messages.Register(self._user_of_address))
        try:
            await self._socket.run()
        finally:
            await self._trickle.close()
            await self._media_checks.close()
            self._registry.release(self.session, self)
            self._detach()
            await self._socket.closed()

    def _detach(self) -> None:
        """The connection is closed: nothing rings here any more, and its calls go on without it."""
        self._unregister()
        self._expiry.stop()
        self._calls.discard_media(self.session)
        self._ice.stop()
        if self._calls_scheduled:
            self._calls_scheduled.cancel()
        if self._owned:
            log.info("a client that owns calls has disconnected: they go on for the grace", calls=sorted(self._owned))
        for call_id in list(self._owned):
            self._calls.detach(call_id, self._on_notification)

    def supersede(self) -> None:
        """The session goes on in another connection: this one is half-open."""
        for call_id in self._owned:
            self._calls.unwatch(call_id, self._on_notification)
        self._owned.clear()
        self._socket.drop("its session goes on in another connection", CLOSE_SUPERSEDED)

    @property
    def owns_calls(self) -> bool:
        return bool(self._owned)

    def lapse(self) -> None:
        """The client's token has expired, and it owns calls: nothing else begins until it sends another one."""
        if self._user is not None:
            self._unregister()
            self._socket.error("unauthorized", "The token has expired: register with another one.", field="token")

    @property
    def takes_calls(self) -> bool:
        return self._user is not None and self in self._services.pages.of_user(self._user)

    def use_principal(self, principal: Principal) -> None:
        """The user's roles are others than when the client registered."""
        self.principal = principal
        if self.takes_calls and not principal.may(Grant.RECEIVE):
            self._stop_taking_calls()

    def end_sign_in(self, reason: str = "What you have signed in to has ended: sign in again.") -> None:
        """The client's sign-in session has ended: notify the client and close the connection."""
        self._socket.error("unauthorized", reason, field="token")
        self._socket.drop("its sign-in has ended", CLOSE_SIGN_IN_ENDED)

    # --- from the client ---------------------------------------------------------------

    def _on_message(self, message: ClientMessage) -> None:
        with acting(self.principal.actor):
            try:
                self._execute(message)
            except Forbidden as error:
                kind = type(message).__struct_config__.tag
                self._services.access.audit.record(
                    Action.ACCESS_DENY, str(kind), result=Result.REFUSED, grant=error.grant.value
                )
                raise

    def _execute(self, message: ClientMessage) -> None:
        match message:
            case messages.Resume():
                self._resume(message)
            case messages.Register():
                self._register(message)
            case messages.Authenticate(token):
                self._authenticate(token)
            case messages.Unregister():
                self._stop_taking_calls()
            case messages.Offer():
                self._offer(message)
            case messages.PrepareMedia():
                self._prepare_media(message)
            case messages.DiscardMedia():
                self._calls.discard_media(self.session)
            case messages.Hangup(call_id):
                self._hang_up(call_id)
            case messages.Decline(call_id):
                self._calls.decline(call_id, user=self._registered(call_id))
            case messages.Candidate():
                self._add_candidate(message)
            case messages.Dtmf() | messages.Hold() | messages.DropParty() | messages.Leave() | messages.Record():
                execute(self._calls, message, self.principal, self._check_owned)
            case messages.Transfer() | messages.AddParty():
                self._check_signed_in()
                execute(self._calls, message, self.principal, self._check_owned)
            case messages.Feedback():
                execute(self._calls, message, self.principal, self._check_was_owned)
            case messages.Quality(call_id, report):
                self._check_was_owned(call_id)
                self._calls.feedback.report_quality(call_id, msgspec.to_builtins(report))
            case messages.Preferences():
                check_expiry(self.principal)
                check_forwards(self.principal, message)
                self._services.user_services.request_change(self._user, self, message)
            case messages.CheckMedia(call_id):
                self._check_owned(call_id)
                leg = self._calls.get(call_id).near_channel
                self._media_checks.check(leg, lambda sounds: self.send(messages.MediaChecked(call_id, sounds)))
            case messages.Ping(id):
                self._socket.start_inactivity_watchdog(lambda: bool(self._owned))
                self.send(messages.Pong(id))

    def _resume(self, message: messages.Resume) -> None:
        session, user_id = self._services.sessions.read(message.session)
        self._check_resumes(session, user_id, message.token)
        if session != self.session:
            self._registry.release(self.session, self)
        self.session = session
        self._registry.bind(session, self)
        self._subscribed = True
        self._expiry.watch()
        self.send(messages.Resumed(self._session_token()))
        for call in self._calls.live():
            if call.session == session and not call.left_outcome:
                self.attach(call)
        self._send_calls()
        self._send_ice_servers()

    def _check_resumes(self, session: str, user_id: str, token: str | None) -> None:
        """The session of a user is of no use to others. `user_id`: of the session's token. Raises Unauthorized."""
        if not self._services.access.required:
            return
        principal = self.principal
        if not principal.user_id:
            principal = self._services.access.resuming(self._token(token), self._address, self._origin)
        owner = self._registry.owner(session)
        before = owner.principal.user_id if owner else ""
        calls = [call for call in self._calls.live() if call.session == session and not call.left_outcome]
        if {before, user_id} - {"", principal.user_id} or not all(owns(principal, call) for call in calls):
            raise Unauthorized("The session is another user's: go on with the one of welcome.")
        self._claim(principal)
        self.principal = principal

    def _session_token(self) -> str:
        return self._services.sessions.token(self.session, self.principal.user_id)

    def _authenticate(self, token: str) -> None:
        """Another token of the same user. Raises Unauthorized."""
        if self._services.access.required:
            principal = self._services.access.principal_of(token, self._address, self._origin)
            if self.principal.user_id not in ("", principal.user_id):
                raise Unauthorized("The token is another user's.")
            self._claim(principal)
            self.principal = principal
            self._expiry.watch()
        self.send(messages.Authenticated(self.principal.expires_at, self._session_token()))

    def _token(self, token: str | None) -> str | None:
        """That of a message, or else that of the upgrade request."""
        return token or self._credential

    def _register(self, message: messages.Register) -> None:
        token = self._token(message.token)
        principal = self._services.access.identify(message.user, token, self._address, self._origin)
        if not principal.may(Grant.DIAL):  # who may only dial has to be known too
            check_may(principal, Grant.RECEIVE)
        if self._owned and self.principal.user_id not in ("", principal.user_id):
            raise Unauthorized("This connection has calls of another user: register on another one.")
        self._claim(principal)
        user = message.user
        again = user == self._user and self.takes_calls and principal.may(Grant.RECEIVE)  # with a new token
        if again:
            self.principal = principal
        else:
            self._unregister()
            self._user, self.principal = user, principal
            if principal.may(Grant.RECEIVE):
                self._services.pages.register(user, self)
        self._subscribed = True
        self._expiry.watch()
        self.send(messages.Registered(user, self._session_token()))
        self._send_ice_servers()
        self._send_calls()
        if not self.takes_calls:
            return
        for call in self._calls.live():  # one that rings already rings here too
            if call.direction is Direction.INBOUND and call.state is CallState.RINGING and user in call.users:
                self.ring(call)
        if not again and not principal.is_guest:  # else it has the directory already, and every change of it
            self._services.pages.announce(user, self)

    def _stop_taking_calls(self) -> None:
        """Nothing rings here any more. The user stays known, and may call."""
        self._ringing.stop_all()
        if self._user is not None:
            self._services.pages.unregister(self._user, self)
        self.send(messages.Unregistered())

    def _unregister(self) -> None:
        self._ringing.forget_all()
        if self._user is not None:
            self._services.pages.unregister(self._user, self)
            self._user = None  # the principal stays: if its sign-in is ended, so is this connection

    def _hang_up(self, call_id: str) -> None:
        if call_id in self._ringing and self._user:
            self._calls.decline(call_id, user=self._user)
        else:
            self._check_owned(call_id)
            self._calls.hangup(call_id)

    # --- media -------------------------------------------------------------------------

    def _offer(self, message: messages.Offer) -> None:
        if message.target is None:
            self._offer_for_call(message)
            return
        self._check_signed_in()
        check_dials(self.principal, message.target, self._calls.live(), self._calls.emergency.is_emergency)
        caller = self.principal.shown_as if self._services.access.required else message.caller or self._user
        call = self._calls.place(
            target=message.target,
            sdp=message.sdp,
            caller=caller or "",
            user=self._user,
            session=self.session,
            call_id=message.call_id,
            prefer=message.prefer or "",
            metadata=dict(self.principal.metadata),
            listener=self._on_notification,
        )
        if call.state.live:
            self._owned.add(call.id)

    def _offer_for_call(self, message: messages.Offer) -> None:
        """Accept an incoming call, renew the media of an own one, or take one over from another page."""
        if message.call_id is None:
            raise InvalidRequest("An offer needs a target to call, or the callId of a call.", field="target")
        call = self._calls.get(message.call_id)
        # The offer of a call that was being accepted when the server died is lost: it rings, and this offer accepts it.
        rings = call.user is None or (self._calls.awaits_adoption(call.id) and call.state is not CallState.UP)
        if rings and call.direction is Direction.INBOUND:
            self._accept(call.id, message)
        elif call.session == self.session:
            self._calls.renew_media(call.id, sdp=message.sdp, prefer=message.prefer or "")
        elif self._ringing.has_rung(call.id) and not message.take_over:
            raise WrongState("The call was taken already, by another page.", field="callId")
        elif owns(self.principal, call):
            # Who resumes with an expired token gets the session's own calls, and no others.
            check_expiry(self.principal)
            self._take_over(call, message)
        else:
            raise UnknownCall.named(call.id)

    def _accept(self, call_id: str, message: messages.Offer) -> None:
        user = self._registered(call_id)
        check_expiry(self.principal)
        with self._ringing.accepting(call_id):
            call = self._calls.accept(
                call_id,
                sdp=message.sdp,
                user=user,
                session=self.session,
                prefer=message.prefer or "",
                metadata=dict(self.principal.metadata),
                listener=self._on_notification,
            )
        if call.state.live:
            self._owned.add(call.id)

    def _take_over(self, call: Call, message: messages.Offer) -> None:
        """A call of this user that another page owns, or owned."""
        owner = self._registry.owner(call.session)
        if owner is not None and not message.take_over:
            raise OwnedElsewhere(
                "Another page of this user owns the call: repeat the offer with takeOver to take it.", field="callId"
            )
        self._calls.renew_media(call.id, sdp=message.sdp, session=self.session, prefer=message.prefer or "")
        if owner is not None:
            owner.give_up(call)
        self._owned.add(call.id)
        self._calls.attach(call.id, self._on_notification)
        self._services.pages.send_calls_soon(call, self._registry.owner(call.session))

    def give_up(self, call: Call) -> None:
        """Another page of the user has taken the call over."""
        self._owned.discard(call.id)
        self._calls.unwatch(call.id, self._on_notification)
        self.send(messages.TakenOver(call.id))

    def attach(self, call: Call) -> None:
        """The call belongs to this connection's session."""
        self._owned.add(call.id)
        try:
            self._calls.attach(call.id, self._on_notification)
        except Unavailable:
            pass  # the server has just started: once the call is recovered, the hub attaches it

    def _prepare_media(self, message: messages.PrepareMedia) -> None:
        self._check_signed_in()
        self._prepared.prepare(message, self.session, self._user)

    def _add_candidate(self, message: messages.Candidate) -> None:
        """Of a call, or of prepared media: the call gets it when it begins."""
        prepared = self._prepared
        if message.call_id == prepared.call_id and message.call_id not in self._owned:
            self._trickle.take(prepared.call_id, prepared.offer, message.candidate)
            return
        self._check_owned(message.call_id)
        call = self._calls.get(message.call_id)
        self._trickle.take(call.id, call.offer, message.candidate)
        self._trickle.answered(call)

    # --- checks ------------------------------------------------------------------------

    def _check_signed_in(self) -> None:
        if self._services.access.required and self._user is None:
            raise Unauthorized("Sign in first: send register with a token.")
        check_expiry(self.principal)

    def _registered(self, call_id: str) -> str:
        """The user that the call rings for, or has rung for. Raises UnknownCall."""
        if self._user is None:
            raise UnknownCall(f"The call {call_id[:64]} does not ring here.", field="callId")
        if not self._ringing.has_rung(call_id):
            check_rang(self.principal, self._calls.get(call_id))
        return self._user

    def _check_owned(self, call_id: str) -> None:
        """Raises UnknownCall for a call that is not this client's."""
        if call_id not in self._owned:
            check_expiry(self.principal)
            check_owns(self.principal, self._calls.get(call_id))

    def _check_was_owned(self, call_id: str) -> None:
        """As `_check_owned`, also for a call that has ended: a client that has not registered is known by session."""
        if self._calls.get(call_id).session != self.session:
            self._check_owned(call_id)

    # --- to the client -------------------------------------------------------------------

    def ring(self, call: Call) -> None:
        self._ringing.ring(call)

    def stop_ringing(self, call: Call, reason: str) -> None:
        self._ringing.stop(call, reason)

    def update_caller(self, call: Call) -> None:
        self._ringing.update_caller(call)

    def send_calls_soon(self) -> None:
        """Once for all changes of this moment."""
        if self._subscribed and self._calls_scheduled is None:
            self._calls_scheduled = asyncio.get_running_loop().call_soon(self._send_calls)

    def _send_calls(self) -> None:
        self._calls_scheduled = None
        calls, owner = filter(self._is_about_me, self._calls.live()), self._registry.owner
        shown = [
            summary(one, here=one.session == self.session, attached=owner(one.session) is not None) for one in calls
        ]
        self.send(messages.Calls(shown))

    def _is_about_me(self, call: Call) -> bool:
        """The call is of this session, or of this user, whose token has not expired."""
        if not self._subscribed or call.left_outcome:
            return False
        return call.session == self.session or (owns(self.principal, call) and not has_expired(self.principal))

    def _send_ice_servers(self) -> None:
        # A call in progress gets new media even if its page's sign-in has expired meanwhile.
        self._ice.update(self._user, lambda: bool(self._user or self._owned) or not self._services.access.required)

    def _on_notification(self, call: Call, notification: Notification) -> None:
        if isinstance(notification, StateChanged) and (call.left_outcome or not call.state.live):
            self._owned.discard(call.id)
        self.send(message_of(call, notification))
        if isinstance(notification, MediaReady):
            self._trickle.answered(call)
