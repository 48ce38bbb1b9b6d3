"""The HTTP API for calls, and signing in. docs/HTTP.md is its reference."""

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web
from msgspec.structs import replace

from ari_bridge.accounts.passwords import MIN_CHARACTERS
from ari_bridge.call_store import StoredResponse
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import CallFailed, InvalidRequest, UnknownCall, WrongState
from ari_bridge.fsm.call import Call
from ari_bridge_protocol import messages
from ari_bridge_protocol.call_ids import new_call_id
from frontend.api.routes import call_endpoints as endpoints
from frontend.api.routes.call_endpoints import (
    CallPath,
    ConfigData,
    Credentials,
    DtmfBody,
    FeedbackBody,
    HoldBody,
    Invite,
    KeyedCallPath,
    KeyedParameters,
    PartyBody,
    PartyPath,
    PasswordChange,
    PhoneBookEntry,
    Placed,
    RecordBody,
    TransferBody,
)
from frontend.api.routes.sessions import session_response
from frontend.auth.authenticator import Authenticator
from frontend.auth.errors import Unauthorized
from frontend.auth.principal import Principal
from frontend.calls import permissions
from frontend.calls.commands import CallCommand, controlling, execute
from frontend.calls.views import client_state
from frontend.http.endpoint import Nothing, TypedRequest
from frontend.http.idempotency import Attempt, IdempotencyGuard, OutcomeUnknown
from frontend.http.long_poll import CallSnapshot
from frontend.http.middleware import json_response, problem_of
from frontend.http.problems import MEDIA_TYPE

Check = Callable[[Principal, Call], None]
"""Of `permissions`: raises UnknownCall."""


class CallControlApi:
    """`phone_book`: what a page shows as numbers to dial. `preflight_number`: see `Settings`.

    `feedback`: whether it is kept. `single_sign_on`: the provider's name; "" without one.
    """

    def __init__(
        self,
        calls: CallManager,
        access: Authenticator,
        idempotency: IdempotencyGuard,
        *,
        version: str,
        phone_book: tuple[tuple[str, str], ...],
        preflight_number: str = "",
        feedback: bool = True,
        min_password_length: int = MIN_CHARACTERS,
        single_sign_on: str = "",
    ) -> None:
        self._calls = calls
        self._access = access
        self._idempotency = idempotency
        self._config = ConfigData(
            version=version,
            authentication=access.required,
            recording=True,
            preflight_number=preflight_number,
            feedback=feedback,
            phone_book=[PhoneBookEntry(number, name) for number, name in phone_book],
            min_password_length=min_password_length,
            single_sign_on=single_sign_on,
        )

    def use(self, phone_book: tuple[tuple[str, str], ...], preflight_number: str) -> None:
        """Others from now on."""
        entries = [PhoneBookEntry(number, name) for number, name in phone_book]
        self._config = replace(self._config, phone_book=entries, preflight_number=preflight_number)

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [
            endpoints.SIGN_IN.route(access, self.sign_in),
            endpoints.SIGN_OUT_EVERYWHERE.route(access, self.sign_out_everywhere),
            endpoints.CHANGE_PASSWORD.route(access, self.change_password),
            endpoints.CONFIG.route(access, self.config),
            endpoints.PLACE.route(access, self.place),
            endpoints.HANG_UP.route(access, self.hang_up),
            endpoints.HOLD.route(access, self.hold),
            endpoints.TRANSFER.route(access, self.transfer),
            endpoints.ADD_PARTY.route(access, self.add_party),
            endpoints.DROP_PARTY.route(access, self.drop_party),
            endpoints.LEAVE.route(access, self.leave),
            endpoints.RECORD.route(access, self.record),
            endpoints.DTMF.route(access, self.send_digits),
            endpoints.FEEDBACK.route(access, self.give_feedback),
        ]

    async def place(self, request: TypedRequest[KeyedParameters, Invite]) -> web.Response:
        invite, calls = request.body, self._calls
        permissions.check_dials(request.principal, invite.target, calls.live(), calls.emergency.is_emergency)
        call_id = invite.call_id or new_call_id()
        async with self._idempotency.attempt(request, request.parameters.idempotency_key, call_id) as attempt:
            if attempt.response is not None:
                return attempt.response
            if not (attempt.interrupted and self._has_survived(attempt, request)):
                with attempt.starting():
                    if not self._access.holds(request.principal):  # the store of keys may have taken its time
                        raise Unauthorized("What you had signed in to has ended meanwhile: sign in again.")
                    calls.place(
                        target=invite.target,
                        sdp=invite.sdp,
                        caller=request.principal.shown_as or invite.caller or "",
                        user=request.user,
                        call_id=attempt.call_id,
                        prefer=invite.prefer or "",
                        metadata=dict(request.principal.metadata),
                    )
            try:
                sdp = await calls.answered(attempt.call_id)
            except CallFailed as error:
                problem, _ = problem_of(error)
                return await attempt.finish(StoredResponse(problem.status, _json(problem), MEDIA_TYPE))
            except BaseException:
                if not attempt.repeatable:
                    calls.hangup(attempt.call_id)  # nobody will know its id
                raise
            if request.client_gone and not attempt.repeatable:
                calls.hangup(attempt.call_id)
            placed = Placed(attempt.call_id, sdp, client_state(calls.get(attempt.call_id)))
            return await attempt.finish(StoredResponse(201, _json(placed)))

    def _has_survived(self, attempt: Attempt, request: TypedRequest[KeyedParameters, Invite]) -> bool:
        """Whether an earlier attempt has placed the call. If its SDP answer is lost, the same offer gets a new one.

        Raises WrongState (another page has taken the call), Unavailable (the call is not recovered yet).
        """
        try:
            call = self._calls.get(attempt.call_id)
        except UnknownCall:
            return False
        if call.user != request.user or call.created_at < attempt.started_at:
            return False  # the client chose an id that was in use
        invite = request.body
        if call.state.live and not call.offer:  # recovered by this process: offers are not stored
            self._calls.renew_media(call.id, sdp=invite.sdp, prefer=invite.prefer or "")
        elif call.state.live and call.offer != invite.sdp:
            raise WrongState(f"Another page has taken over the media of the call {call.id}.", field="callId")
        return True

    async def hang_up(self, request: TypedRequest[CallPath, Nothing]) -> web.Response:
        call_id = self._id(request)
        with controlling(self._calls, call_id, "hangup", request.principal):
            self._calls.hangup(call_id)
        return web.Response(status=204)

    async def hold(self, request: TypedRequest[KeyedCallPath, HoldBody]) -> web.Response:
        command = messages.Hold(request.parameters.call_id, request.body.held)
        return await self._command(request, command, permissions.check_commands)

    async def transfer(self, request: TypedRequest[KeyedCallPath, TransferBody]) -> web.Response:
        body = request.body
        return await self._command(request, messages.Transfer(request.parameters.call_id, body.target, body.to_call_id))

    async def add_party(self, request: TypedRequest[KeyedCallPath, PartyBody]) -> web.Response:
        body = request.body
        return await self._command(
            request, messages.AddParty(request.parameters.call_id, body.target, body.from_call_id)
        )

    async def drop_party(self, request: TypedRequest[PartyPath, Nothing]) -> web.Response:
        call_id = self._id(request)
        with controlling(self._calls, call_id, "drop-party", request.principal):
            self._calls.control.drop_party(call_id, request.parameters.party)
        return web.Response(status=204)

    async def leave(self, request: TypedRequest[KeyedCallPath, Nothing]) -> web.Response:
        return await self._command(request, messages.Leave(request.parameters.call_id), permissions.check_commands)

    async def record(self, request: TypedRequest[KeyedCallPath, RecordBody]) -> web.Response:
        return await self._command(request, messages.Record(request.parameters.call_id, request.body.action))

    async def send_digits(self, request: TypedRequest[KeyedCallPath, DtmfBody]) -> web.Response:
        return await self._command(request, messages.Dtmf(request.parameters.call_id, request.body.digits))

    async def give_feedback(self, request: TypedRequest[KeyedCallPath, FeedbackBody]) -> web.Response:
        body, call_id = request.body, request.parameters.call_id
        command = messages.Feedback(call_id, body.score, body.issue, body.comment)
        return await self._command(request, command, permissions.check_owns)

    async def sign_in(self, request: TypedRequest[Nothing, Credentials]) -> web.Response:
        address = self._access.addresses.of(request.raw)
        session = await self._access.sign_in(request.body.user, request.body.password, address)
        return await session_response(self._access, request.raw, session, cookie=request.body.cookie)

    async def sign_out_everywhere(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        await self._access.sign_out_everywhere(request.principal)
        return web.Response(status=204)

    async def change_password(self, request: TypedRequest[Nothing, PasswordChange]) -> web.Response:
        if request.principal.name is None:
            raise InvalidRequest("Sign-in is off, so there is no password.", field="oldPassword")
        body = request.body
        session = await self._access.change_password(request.principal, body.old_password, body.new_password)
        return await session_response(self._access, request.raw, session, cookie=body.cookie)

    async def config(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        return json_response(self._config)

    async def _command(
        self,
        request: TypedRequest[Any, Any],
        command: CallCommand,
        check: Check = permissions.check_takes_part,
    ) -> web.Response:
        """Answers with the call as it is now: what comes of the command shows in `GET /call/{callId}` and events."""
        key, call_id = request.parameters.idempotency_key, command.call_id
        async with self._idempotency.attempt(request, key, call_id) as attempt:
            if attempt.response is not None:
                return attempt.response
            if attempt.interrupted:
                raise OutcomeUnknown(attempt.call_id)
            with attempt.starting():
                who = request.principal
                execute(self._calls, command, who, lambda call_id: check(who, self._calls.get(call_id)))
            shown = CallSnapshot.of(self._calls.get(call_id))
            return await attempt.finish(StoredResponse(202, shown.body.decode(), tag=shown.tag))

    def _id(self, request: "TypedRequest[CallPath, Nothing] | TypedRequest[PartyPath, Nothing]") -> str:
        """Of a call that the principal commands. Raises UnknownCall."""
        call_id = request.parameters.call_id
        permissions.check_commands(request.principal, self._calls.get(call_id))
        return call_id


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
