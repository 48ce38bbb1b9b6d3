"""The HTTP API of the directory and of one's own preferences. docs/PEOPLE.md tells what they do."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.errors import InvalidRequest
from ari_bridge_protocol.messages import CallPreferences, PersonSummary
from frontend.auth.authenticator import Authenticator
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response
from frontend.presence.preferences import UserServices

PEOPLE = "People"


class Directory(msgspec.Struct, frozen=True):
    people: Annotated[list[PersonSummary], Meta(description="by number")]


class PreferenceOwner(msgspec.Struct, frozen=True):
    user: Annotated[
        str | None, Meta(description="whose preferences; only where nobody signs in: else they are your own")
    ] = None


_EXAMPLE = CallPreferences(forward_no_answer="voicemail", ring_seconds=20)
LIST = Endpoint(
    name="listPeople",
    method="GET",
    path="/people",
    tag=PEOPLE,
    summary="Who can be called, and how each stands",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The directory",
            shape=Directory,
            example=Directory(
                [PersonSummary("1001", "Reception", "available", "1001"), PersonSummary("201", "", "in_call")]
            ),
        )
    },
)
SHOW = Endpoint(
    name="showPreferences",
    method="GET",
    path="/me/preferences",
    tag=PEOPLE,
    summary="See what is done with calls for you",
    parameters=PreferenceOwner,
    body=Nothing,
    responses={200: ResponseSpec(description="The preferences", shape=CallPreferences, example=_EXAMPLE)},
)
CHANGE = Endpoint(
    name="setPreferences",
    method="PUT",
    path="/me/preferences",
    tag=PEOPLE,
    summary="Say what is to be done with calls for you",
    description="As a whole: what is left out is as at the beginning. All your pages are told.",
    parameters=PreferenceOwner,
    body=CallPreferences,
    responses={
        200: ResponseSpec(description="The preferences as they are kept", shape=CallPreferences, example=_EXAMPLE)
    },
    problems=("too_many", "unavailable"),
    example_body=_EXAMPLE,
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (LIST, SHOW, CHANGE)


class PeopleApi:
    """Without sign-in (loopback only) everybody is who they say: `?user=NAME` says it."""

    def __init__(self, user_services: UserServices, access: Authenticator) -> None:
        self._user_services = user_services
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [
            LIST.route(self._access, self.people),
            SHOW.route(self._access, self.show),
            CHANGE.route(self._access, self.change),
        ]

    async def people(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        return json_response(Directory(self._user_services.directory.people()))

    async def show(self, request: TypedRequest[PreferenceOwner, Nothing]) -> web.Response:
        return json_response(self._user_services.preferences(self._me(request)))

    async def change(self, request: TypedRequest[PreferenceOwner, CallPreferences]) -> web.Response:
        return json_response(await self._user_services.set(self._me(request), request.body))

    def _me(self, request: TypedRequest[PreferenceOwner, Any]) -> str:
        """Raises InvalidRequest, InvalidUser."""
        named = request.parameters.user
        if request.user is not None:
            if named not in (None, request.user):
                raise InvalidRequest("These are your own preferences only.", field="user")
            return request.user
        if not named:
            raise InvalidRequest("Say whose preferences: ?user=NAME.", field="user")
        return self._access.identify(named, None)
