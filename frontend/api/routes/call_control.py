"""The HTTP API for calls, and signing in. docs/HTTP.md is its reference."""

from typing import Any

import msgspec
from aiohttp import web
from msgspec.structs import replace

from ari_bridge.call_store import StoredResponse
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import CallFailed, InvalidRequest, UnknownCall, WrongState
from ari_bridge_protocol import messages
from ari_bridge_protocol.call_ids import new_call_id
from frontend.api.routes import call_endpoints as operations
from frontend.api.routes.call_endpoints import (
    ConfigData,
    Credentials,
    DtmfBody,
    FeedbackBody,
    HoldBody,
    Invite,
    Keyed,
    OneCall,
    OneCallKeyed,
    OneParty,
    PartyBody,
    PasswordChange,
    PhoneBookEntry,
    Placed,
    RecordBody,
    SessionData,
    TransferBody,
)
from frontend.auth.authenticator import Authenticator, Session
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.calls import permissions
from frontend.calls.commands import CallCommand, execute
from frontend.calls.views import client_state
from frontend.http.endpoint import Nothing, TypedRequest
from frontend.http.idempotency import Attempt, IdempotencyGuard, OutcomeUnknown
from frontend.http.long_poll import CallSnapshot
from frontend.http.middleware import json_response, problem_of
from frontend.http.problems import MEDIA_TYPE

BODY_BYTES = 1024 * 1024


class Api:
    """`phone_book`: what a page shows as numbers to dial. `preflight_number`: see `Settings`.

    `feedback`: whether it is kept.
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
        )

    def use(self, phone_book: tuple[tuple[str, str], ...], preflight_number: str) -> None:
        """Others from now on."""
        entries = [PhoneBookEntry(number, name) for number, name in phone_book]
        self._config = replace(self._config, phone_book=entries, preflight_number=preflight_number)

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [
            operations.SIGN_IN.at(access, self.sign_in),
            operations.RENEW_SIGN_IN.at(access, self.renew_sign_in),
            operations.CHANGE_PASSWORD.at(access, self.change_password),
            operations.CONFIG.at(access, self.config),
            operations.PLACE.at(access, self.place),
            operations.HANG_UP.at(access, self.hang_up),
            operations.HOLD.at(access, self.hold),
            operations.TRANSFER.at(access, self.transfer),
            operations.ADD_PARTY.at(access, self.add_party),
            operations.DROP_PARTY.at(access, self.drop_party),
            operations.LEAVE.at(access, self.leave),
            operations.RECORD.at(access, self.record),
            operations.DTMF.at(access, self.send_digits),
            operations.FEEDBACK.at(access, self.give_feedback),
        ]

    async def place(self, asked: TypedRequest[Keyed, Invite]) -> web.Response:
        permissions.check_may(asked.principal, Grant.DIAL)
        invite, calls = asked.body, self._calls
        call_id = invite.call_id or new_call_id()
        async with self._idempotency.attempt(asked, asked.parameters.idempotency_key, call_id) as attempt:
            if attempt.response is not None:
                return attempt.response
            if not (attempt.interrupted and self._has_survived(attempt, asked)):
                with attempt.starting():
                    calls.place(
                        target=invite.target,
                        sdp=invite.sdp,
                        caller=asked.user or invite.caller or "",
                        user=asked.user,
                        call_id=attempt.call_id,
                        prefer=invite.prefer or "",
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
            if asked.client_gone and not attempt.repeatable:
                calls.hangup(attempt.call_id)
            placed = Placed(attempt.call_id, sdp, client_state(calls.get(attempt.call_id)))
            return await attempt.finish(StoredResponse(201, _json(placed)))

    def _has_survived(self, attempt: Attempt, asked: TypedRequest[Keyed, Invite]) -> bool:
        """Whether an earlier attempt has placed the call. If its SDP answer is lost, the same offer gets a new one.

        Raises WrongState (another page has taken the call), Unavailable (the call is not recovered yet).
        """
        try:
            call = self._calls.get(attempt.call_id)
        except UnknownCall:
            return False
        if call.user != asked.user or call.created_at < attempt.started_at:
            return False  # the client chose an id that was in use
        invite = asked.body
        if call.state.live and not call.offer:  # recovered by this process: offers are not stored
            self._calls.renew_media(call.id, sdp=invite.sdp, prefer=invite.prefer or "")
        elif call.state.live and call.offer != invite.sdp:
            raise WrongState(f"Another page has taken over the media of the call {call.id}.", field="callId")
        return True

    async def hang_up(self, asked: TypedRequest[OneCall, Nothing]) -> web.Response:
        self._calls.hangup(self._id(asked))
        return web.Response(status=204)

    async def hold(self, asked: TypedRequest[OneCallKeyed, HoldBody]) -> web.Response:
        return await self._command(asked, messages.Hold(asked.parameters.call_id, asked.body.held))

    async def transfer(self, asked: TypedRequest[OneCallKeyed, TransferBody]) -> web.Response:
        body = asked.body
        return await self._command(asked, messages.Transfer(asked.parameters.call_id, body.target, body.to_call_id))

    async def add_party(self, asked: TypedRequest[OneCallKeyed, PartyBody]) -> web.Response:
        body = asked.body
        return await self._command(asked, messages.AddParty(asked.parameters.call_id, body.target, body.from_call_id))

    async def drop_party(self, asked: TypedRequest[OneParty, Nothing]) -> web.Response:
        self._calls.control.drop_party(self._id(asked), asked.parameters.party)
        return web.Response(status=204)

    async def leave(self, asked: TypedRequest[OneCallKeyed, Nothing]) -> web.Response:
        return await self._command(asked, messages.Leave(asked.parameters.call_id))

    async def record(self, asked: TypedRequest[OneCallKeyed, RecordBody]) -> web.Response:
        return await self._command(asked, messages.Record(asked.parameters.call_id, asked.body.action))

    async def send_digits(self, asked: TypedRequest[OneCallKeyed, DtmfBody]) -> web.Response:
        return await self._command(asked, messages.Dtmf(asked.parameters.call_id, asked.body.digits))

    async def give_feedback(self, asked: TypedRequest[OneCallKeyed, FeedbackBody]) -> web.Response:
        body, call_id = asked.body, asked.parameters.call_id
        return await self._command(
            asked, messages.Feedback(call_id, body.score, body.issue, body.comment), others=False
        )

    async def sign_in(self, asked: TypedRequest[Nothing, Credentials]) -> web.Response:
        address = self._access.addresses.of(asked.request)
        return _session(await self._access.sign_in(asked.body.user, asked.body.password, address))

    async def renew_sign_in(self, asked: TypedRequest[Nothing, Nothing]) -> web.Response:
        return _session(self._access.renew(asked.request))

    async def change_password(self, asked: TypedRequest[Nothing, PasswordChange]) -> web.Response:
        if asked.principal.name is None:
            raise InvalidRequest("Nobody signs in here, so there is no password.", field="oldPassword")
        body = asked.body
        return _session(await self._access.change_password(asked.principal, body.old_password, body.new_password))

    async def config(self, asked: TypedRequest[Nothing, Nothing]) -> web.Response:
        return json_response(self._config)

    async def _command(
        self, asked: TypedRequest[Any, Any], command: CallCommand, *, others: bool = True
    ) -> web.Response:
        """Answers with the call as it is now: what comes of the command shows in `GET /call/{callId}` and events."""
        key, call_id = asked.parameters.idempotency_key, command.call_id
        async with self._idempotency.attempt(asked, key, call_id) as attempt:
            if attempt.response is not None:
                return attempt.response
            if attempt.interrupted:
                raise OutcomeUnknown(attempt.call_id)
            with attempt.starting():
                who = asked.principal
                execute(self._calls, command, who, lambda call_id: self._check(who, call_id, others=others))
            shown = CallSnapshot.of(self._calls.get(call_id))
            return await attempt.finish(StoredResponse(202, shown.body.decode(), tag=shown.tag))

    def _id(self, asked: "TypedRequest[OneCall, Nothing] | TypedRequest[OneParty, Nothing]") -> str:
        call_id = asked.parameters.call_id
        self._check(asked.principal, call_id)
        return call_id

    def _check(self, principal: Principal, call_id: str, *, others: bool = True) -> None:
        """`others`: also a call that rings for the user. Raises UnknownCall."""
        check = permissions.check_commands if others else permissions.check_owns
        check(principal, self._calls.get(call_id))


def _session(session: Session) -> web.Response:
    told = SessionData(session.token, session.user, session.expires_at, session.must_change_password)
    return json_response(told, headers={"Cache-Control": "no-store"})


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
