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


class Whose(msgspec.Struct, frozen=True):
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
    answers={
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
    parameters=Whose,
    body=Nothing,
    answers={200: ResponseSpec(description="The preferences", shape=CallPreferences, example=_EXAMPLE)},
)
CHANGE = Endpoint(
    name="setPreferences",
    method="PUT",
    path="/me/preferences",
    tag=PEOPLE,
    summary="Say what is to be done with calls for you",
    description="As a whole: what is left out is as at the beginning. All your pages are told.",
    parameters=Whose,
    body=CallPreferences,
    answers={
        200: ResponseSpec(description="The preferences as they are kept", shape=CallPreferences, example=_EXAMPLE)
    },
    problems=("too_many", "unavailable"),
    example_body=_EXAMPLE,
)
OPERATIONS: tuple[Endpoint[Any, Any], ...] = (LIST, SHOW, CHANGE)


class PeopleApi:
    """Without sign-in (loopback only) everybody is who they say: `?user=NAME` says it."""

    def __init__(self, attendant: UserServices, access: Authenticator) -> None:
        self._attendant = attendant
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [
            LIST.at(self._access, self.people),
            SHOW.at(self._access, self.show),
            CHANGE.at(self._access, self.change),
        ]

    async def people(self, asked: TypedRequest[Nothing, Nothing]) -> web.Response:
        return json_response(Directory(self._attendant.directory.people()))

    async def show(self, asked: TypedRequest[Whose, Nothing]) -> web.Response:
        return json_response(self._attendant.preferences(self._me(asked)))

    async def change(self, asked: TypedRequest[Whose, CallPreferences]) -> web.Response:
        return json_response(await self._attendant.set(self._me(asked), asked.body))

    def _me(self, asked: TypedRequest[Whose, Any]) -> str:
        """Raises InvalidRequest, InvalidUser."""
        named = asked.parameters.user
        if asked.user is not None:
            if named not in (None, asked.user):
                raise InvalidRequest("These are your own preferences only.", field="user")
            return asked.user
        if not named:
            raise InvalidRequest("Say whose preferences: ?user=NAME.", field="user")
        self._access.identify(named, None)
        return named
