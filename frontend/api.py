"""The HTTP API for calls, and signing in. docs/API.md is its reference."""

from typing import TypeVar

import msgspec
from aiohttp import web

from ari_bridge.calls.manager import Calls
from ari_bridge.errors import InvalidRequest, UnknownCall
from ari_bridge.hooks import call_data
from frontend.auth import Access
from frontend.faults import fault_of
from frontend.middleware import json_response
from frontend.states import client_state

BODY_BYTES = 1024 * 1024


class Invite(msgspec.Struct, rename="camel"):
    target: str
    sdp: str
    caller: str | None = None
    call_id: str | None = None


class Credentials(msgspec.Struct):
    user: str
    password: str


T = TypeVar("T")


async def _body(request: web.Request, type: type[T]) -> T:
    """Raises InvalidRequest, which names the field that is wrong."""
    try:
        return msgspec.json.decode(await request.read(), type=type)
    except msgspec.ValidationError as error:
        what, field = fault_of(str(error))
        raise InvalidRequest(f"The body is not as it should be: {what}.", field=field) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from error


class Api:
    """`phone_book`: what a page shows as numbers to dial."""

    def __init__(self, calls: Calls, access: Access, *, version: str, phone_book: tuple[tuple[str, str], ...]) -> None:
        self._calls = calls
        self._access = access
        self._config = {
            "version": version,
            "authentication": access.required,
            "phoneBook": [{"number": number, "name": name} for number, name in phone_book],
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/invite", self.invite),
            web.get("/call/{id}", self.show),
            web.delete("/call/{id}", self.hang_up),
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

    def _id(self, request: web.Request) -> str:
        """Raises UnknownCall also for another user's call: whose it is, is not told."""
        user = self._access.of_request(request.headers.get("Authorization"))
        call_id = request.match_info["id"]
        call = self._calls.get(call_id)
        if user is not None and user != call.user and user not in call.users:
            raise UnknownCall(f"There is no call {call_id[:64]!r}.", field="callId")
        return call_id

    async def sign_in(self, request: web.Request) -> web.Response:
        credentials = await _body(request, Credentials)
        session = await self._access.sign_in(credentials.user, credentials.password, request.remote or "")
        return json_response({"token": session.token, "user": session.user, "expiresAt": session.expires_at})

    async def config(self, request: web.Request) -> web.Response:
        return json_response(self._config)
