"""The HTTP API of the directory and of one's own preferences. docs/PEOPLE.md is its reference."""

from typing import Any

import msgspec
from aiohttp import web

from ari_bridge.errors import InvalidRequest
from frontend import messages
from frontend.attendant import Attendant
from frontend.auth import Access
from frontend.faults import fault_of
from frontend.middleware import json_response


class PeopleApi:
    """Without sign-in (loopback only) everybody is who they say: `?user=NAME` says it."""

    def __init__(self, attendant: Attendant, access: Access) -> None:
        self._attendant = attendant
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/people", self.people),
            web.get("/me/preferences", self.show),
            web.put("/me/preferences", self.change),
        ]

    async def people(self, request: web.Request) -> web.Response:
        self._access.of_request(request.headers.get("Authorization"))
        return json_response({"people": self._attendant.directory.people()})

    async def show(self, request: web.Request) -> web.Response:
        return json_response(_told(self._attendant.preferences(self._me(request))))

    async def change(self, request: web.Request) -> web.Response:
        user = self._me(request)
        kept = await self._attendant.set(user, _wanted(await request.read()))
        return json_response(_told(kept))

    def _me(self, request: web.Request) -> str:
        """Raises Unauthorized, InvalidRequest, InvalidUser."""
        user = self._access.of_request(request.headers.get("Authorization"))
        if user is None:
            user = request.query.get("user", "")
            if not user:
                raise InvalidRequest("Say whose preferences: ?user=NAME.", field="user")
            self._access.identify(user, None)
        return user


def _wanted(body: bytes) -> messages.Preferences:
    try:
        asked = msgspec.json.decode(body, type=dict[str, Any])
        return msgspec.convert({**asked, "type": "preferences"}, messages.Preferences)
    except msgspec.ValidationError as error:
        what, field = fault_of(str(error))
        raise InvalidRequest(f"The body is not as it should be: {what}.", field=field) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from error


def _told(preferences: messages.Preferences) -> dict[str, Any]:
    """All of them, also those that are as at the beginning."""
    return {
        field.encode_name: getattr(preferences, field.name) for field in msgspec.structs.fields(messages.Preferences)
    }
