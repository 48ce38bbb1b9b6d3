"""The HTTP API for calls, and signing in. docs/HTTP.md is its reference."""

from typing import Any

from aiohttp import web
from msgspec.structs import replace

from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import UnknownCall
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
    PhoneBookEntry,
    RecordBody,
    SessionData,
    TransferBody,
)
from frontend.api.routes.place_call import CommandOperation, PlaceCallOperation
from frontend.auth.authenticator import Authenticator
from frontend.auth.client_addresses import ClientAddresses
from frontend.calls.commands import CallCommand, execute
from frontend.http.endpoint import Nothing, TypedRequest
from frontend.http.idempotency import IdempotencyGuard
from frontend.http.middleware import json_response

BODY_BYTES = 1024 * 1024


class Api:
    """`phone_book`: what a page shows as numbers to dial. `preflight_number`: see `Settings`.

    `feedback`: whether it is kept.
    """

    def __init__(
        self,
        calls: CallManager,
        access: Authenticator,
        repeats: IdempotencyGuard,
        *,
        version: str,
        phone_book: tuple[tuple[str, str], ...],
        preflight_number: str = "",
        feedback: bool = True,
        addresses: ClientAddresses | None = None,
    ) -> None:
        self._calls = calls
        self._access = access
        self._repeats = repeats
        self._addresses = addresses or ClientAddresses()
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
        invite, user = asked.body, asked.user
        work = PlaceCallOperation(self._calls, invite, user)
        return await self._repeats.respond(asked.request, user, invite.call_id or new_call_id(), work)

    async def hang_up(self, asked: TypedRequest[OneCall, Nothing]) -> web.Response:
        self._calls.hangup(self._id(asked))
        return web.Response(status=204)

    async def hold(self, asked: TypedRequest[OneCallKeyed, HoldBody]) -> web.Response:
        return await self._act(asked, messages.Hold(asked.parameters.call_id, asked.body.held))

    async def transfer(self, asked: TypedRequest[OneCallKeyed, TransferBody]) -> web.Response:
        body = asked.body
        return await self._act(asked, messages.Transfer(asked.parameters.call_id, body.target, body.to_call_id))

    async def add_party(self, asked: TypedRequest[OneCallKeyed, PartyBody]) -> web.Response:
        body = asked.body
        return await self._act(asked, messages.AddParty(asked.parameters.call_id, body.target, body.from_call_id))

    async def drop_party(self, asked: TypedRequest[OneParty, Nothing]) -> web.Response:
        self._calls.control.drop_party(self._id(asked), asked.parameters.party)
        return web.Response(status=204)

    async def leave(self, asked: TypedRequest[OneCallKeyed, Nothing]) -> web.Response:
        return await self._act(asked, messages.Leave(asked.parameters.call_id))

    async def record(self, asked: TypedRequest[OneCallKeyed, RecordBody]) -> web.Response:
        return await self._act(asked, messages.Record(asked.parameters.call_id, asked.body.action))

    async def send_digits(self, asked: TypedRequest[OneCallKeyed, DtmfBody]) -> web.Response:
        return await self._act(asked, messages.Dtmf(asked.parameters.call_id, asked.body.digits))

    async def give_feedback(self, asked: TypedRequest[OneCallKeyed, FeedbackBody]) -> web.Response:
        body, call_id = asked.body, asked.parameters.call_id
        return await self._act(asked, messages.Feedback(call_id, body.score, body.issue, body.comment), others=False)

    async def sign_in(self, asked: TypedRequest[Nothing, Credentials]) -> web.Response:
        address = self._addresses.of(asked.request)
        session = await self._access.sign_in(asked.body.user, asked.body.password, address)
        return json_response(SessionData(session.token, session.user, session.expires_at))

    async def renew_sign_in(self, asked: TypedRequest[Nothing, Nothing]) -> web.Response:
        session = self._access.renew(asked.request.headers.get("Authorization"))
        return json_response(SessionData(session.token, session.user, session.expires_at))

    async def config(self, asked: TypedRequest[Nothing, Nothing]) -> web.Response:
        return json_response(self._config)

    async def _act(self, asked: TypedRequest[Any, Any], verb: CallCommand, *, others: bool = True) -> web.Response:
        """The call as it stands right after: what was begun is told by `GET /call/{callId}` and the events."""

        def begin() -> None:
            execute(self._calls, verb, lambda call_id: self._check(asked.user, call_id, others=others))

        return await self._repeats.respond(
            asked.request, asked.user, verb.call_id, CommandOperation(self._calls, begin)
        )

    def _id(self, asked: "TypedRequest[OneCall, Nothing] | TypedRequest[OneParty, Nothing]") -> str:
        call_id = asked.parameters.call_id
        self._check(asked.user, call_id)
        return call_id

    def _check(self, user: str | None, call_id: str, *, others: bool = True) -> None:
        """Raises UnknownCall also for another user's call: whose it is, is not told. `others`: also one that rang."""
        call = self._calls.get(call_id)
        if user is not None and user != call.user and not (others and user in call.users):
            raise UnknownCall(f"There is no call {call_id[:64]!r}.", field="callId")
