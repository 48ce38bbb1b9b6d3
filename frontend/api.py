"""The HTTP API for calls, and signing in. docs/API.md is its reference."""

from typing import Any, Literal, TypeVar

import msgspec
from aiohttp import web

from ari_bridge.calls.manager import Calls
from ari_bridge.errors import InvalidRequest, UnknownCall
from ari_bridge.hooks import call_data
from frontend import messages
from frontend.auth import Access
from frontend.faults import fault_of
from frontend.middleware import json_response
from frontend.states import client_state
from frontend.verbs import Verb, act

BODY_BYTES = 1024 * 1024


class Invite(msgspec.Struct, rename="camel"):
    target: str
    sdp: str
    caller: str | None = None
    call_id: str | None = None
    prefer: Literal["opus", "pcmu"] | None = None


class Credentials(msgspec.Struct):
    user: str
    password: str


_VERBS: dict[str, type[Verb]] = {
    "dtmf": messages.Dtmf,
    "hold": messages.Hold,
    "transfer": messages.Transfer,
    "leave": messages.Leave,
    "record": messages.Record,
    "feedback": messages.Feedback,
}

T = TypeVar("T")


async def _body(request: web.Request, type: type[T], *, empty: T | None = None) -> T:
    """`empty`: what no body at all means. Raises InvalidRequest, which names the field that is wrong."""
    body = await request.read()
    if not body and empty is not None:
        return empty
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        what, field = fault_of(str(error))
        raise InvalidRequest(f"The body is not as it should be: {what}.", field=field) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from error


class Api:
    """`phone_book`: what a page shows as numbers to dial. `preflight_number`: see `Settings`.

    `feedback`: whether it is kept.
    """

    def __init__(
        self,
        calls: Calls,
        access: Access,
        *,
        version: str,
        phone_book: tuple[tuple[str, str], ...],
        preflight_number: str = "",
        feedback: bool = True,
    ) -> None:
        self._calls = calls
        self._access = access
        self._config = {
            "version": version,
            "authentication": access.required,
            "recording": True,  # calls can be recorded: the page shows the button
            "preflightNumber": preflight_number,  # an echo, for trying the connection; "": there is none
            "feedback": feedback,  # it can be given after a call
            "phoneBook": [{"number": number, "name": name} for number, name in phone_book],
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/invite", self.invite),
            web.get("/call/{id}", self.show),
            web.delete("/call/{id}", self.hang_up),
            web.post("/call/{id}/parties", self.add_party),
            web.delete("/call/{id}/parties/{party}", self.drop_party),
            web.post("/call/{id}/{verb}", self.act),
            web.post("/session", self.sign_in),
            web.get("/config", self.config),
        ]

    async def invite(self, request: web.Request) -> web.Response:
        user = self._access.of_request(request.headers.get("Authorization"))
        invite = await _body(request, Invite)
        call = self._calls.place(
            target=invite.target,
            sdp=invite.sdp,
            caller=user or invite.caller or "",
            user=user,
            call_id=invite.call_id,
            prefer=invite.prefer or "",
        )
        try:
            sdp = await self._calls.answered(call.id)
        except BaseException:
            self._calls.hangup(call.id)  # the client is gone: nobody could hang up this call any more
            raise
        state = client_state(self._calls.get(call.id))
        return json_response({"callId": call.id, "sdp": sdp, "state": state}, status=201)

    async def show(self, request: web.Request) -> web.Response:
        return json_response(call_data(self._calls.get(self._id(request))))

    async def hang_up(self, request: web.Request) -> web.Response:
        self._calls.hangup(self._id(request))
        return web.Response(status=204)

    async def act(self, request: web.Request) -> web.Response:
        verb = _VERBS.get(request.match_info["verb"])
        if verb is None:
            raise web.HTTPNotFound
        return await self._acted(request, verb)

    async def add_party(self, request: web.Request) -> web.Response:
        return await self._acted(request, messages.AddParty)

    async def drop_party(self, request: web.Request) -> web.Response:
        self._id(request)
        try:
            party = int(request.match_info["party"])
        except ValueError:
            raise InvalidRequest("A party is a number, 1 for the first.", field="party") from None
        self._calls.drop_party(request.match_info["id"], party)
        return web.Response(status=204)

    async def _acted(self, request: web.Request, verb: type[Verb]) -> web.Response:
        """The call as it stands right after: what was begun is told by `GET /call/{id}` and the events."""
        call_id = self._id(request)
        asked = await _body(request, dict[str, Any], empty={})
        try:
            message: Verb = msgspec.convert({**asked, "callId": call_id}, verb)
        except msgspec.ValidationError as error:
            what, field = fault_of(str(error))
            raise InvalidRequest(f"The body is not as it should be: {what}.", field=field) from error
        act(self._calls, message, lambda one: self._check(request, one, others=verb is not messages.Feedback))
        return json_response(call_data(self._calls.get(call_id)), status=202)

    def _id(self, request: web.Request) -> str:
        call_id = request.match_info["id"]
        self._check(request, call_id)
        return call_id

    def _check(self, request: web.Request, call_id: str, *, others: bool = True) -> None:
        """Raises UnknownCall also for another user's call: whose it is, is not told. `others`: also one that rang."""
        user = self._access.of_request(request.headers.get("Authorization"))
        call = self._calls.get(call_id)
        if user is not None and user != call.user and not (others and user in call.users):
            raise UnknownCall(f"There is no call {call_id[:64]!r}.", field="callId")

    async def sign_in(self, request: web.Request) -> web.Response:
        credentials = await _body(request, Credentials)
        session = await self._access.sign_in(credentials.user, credentials.password, request.remote or "")
        return json_response({"token": session.token, "user": session.user, "expiresAt": session.expires_at})

    async def config(self, request: web.Request) -> web.Response:
        return json_response(self._config)
