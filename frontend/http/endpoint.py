"""What a route of the HTTP API is: one `Endpoint`, of which the route itself and its documentation are made.

An endpoint says which parameters and which body it takes, as structs, and what it may answer. Its handler gets them
decoded and checked. `frontend.api.openapi.document` makes the OpenAPI document of all endpoints, and the reference
page.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec
from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from ari_bridge.audit import Action, Audit, Result, acting
from frontend.auth.authenticator import Forbidden
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.http.parameters import HEADER as HEADER
from frontend.http.parameters import Parameter, parameters_of, read_body, read_parameters
from frontend.http.problems import PROBLEM_TYPES
from frontend.http.request_body import MAX_BODY_BYTES, MAX_PUBLIC_BODY_BYTES, read_request_body
from frontend.http.request_gate import check_costly

JSON = "application/json"
Method = Literal["GET", "POST", "PUT", "DELETE"]


class Nothing(msgspec.Struct, frozen=True):
    """No parameters, or no body."""


class Access(Protocol):
    """Finds out who sends a request. `Authenticator` is the one that serves clients."""

    audit: Audit

    def authenticate(self, request: web.Request, *, again: bool = False) -> Principal:
        """`again`: as things are now, if something was waited for. Raises Unauthorized."""

    def holds(self, principal: Principal) -> bool:
        """Whether what the principal has signed in to has not ended."""

    def stranger(self, request: web.Request) -> Principal:
        """Whoever need not sign in."""


P = TypeVar("P", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class TypedRequest(Generic[P, B]):
    """One request, decoded and checked."""

    raw: web.Request
    principal: Principal
    parameters: P
    body: B

    @property
    def user(self) -> str | None:
        """Whose token it has; None if sign-in is off."""
        return self.principal.name

    @property
    def client_gone(self) -> bool:
        """Whether the client has disconnected, so that the response will not be received."""
        return self.raw.transport is None or self.raw.transport.is_closing()


Handler = Callable[[TypedRequest[P, B]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class ResponseSpec:
    """A response that is not a problem. `shape`: the type that is sent as JSON; None if the body is empty or not JSON.

    `headers`: by name, what they say, beside those that every answer has. `example`: of `shape`, or text.
    """

    description: str
    shape: Any = None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    example: msgspec.Struct | str | None = None

    @property
    def has_body(self) -> bool:
        return self.shape is not None or self.media != JSON


@dataclass(frozen=True, kw_only=True)
class Endpoint(Generic[P, B]):
    """One method of one path.

    `name`: unique, for generated clients. `tag`: its section in the reference. `parameters`: those of
    which the path has `{name}`, those that are marked HEADER, and of the query all others. `problems`: codes besides
    those that follow from the rest (`all_problems`). `public`: needs no token. `ignores_unknown`: other parameters
    of the query are not refused. `grant`: what the asker has to have. `costly`: searches, or asks Asterisk, so that it
    may be requested less often. `example`: values of parameters, and a body, that would be taken.
    """

    name: str
    method: Method
    path: str
    tag: str
    summary: str  # one line, no full stop
    parameters: type[P]
    body: type[B]
    responses: Mapping[int, ResponseSpec]
    problems: tuple[str, ...] = ()
    description: str = ""
    public: bool = False
    ignores_unknown: bool = False
    grant: Grant | None = None
    costly: bool = False
    example: Mapping[str, str] = field(default_factory=dict)
    example_body: B | None = None

    def route(self, access: Access, handler: Handler[P, B]) -> web.RouteDef:
        """The route: whoever asks is known, and what is asked is right, before `handler` is called."""
        reader, known = msgspec.json.Decoder(self.body), self.parameter_specs
        empty = self.body() if self.body_optional else None
        names = {one.name for one in known}

        async def handle(request: web.Request) -> web.StreamResponse:
            principal = access.stranger(request) if self.public else access.authenticate(request)
            with acting(principal.actor):
                return await respond(request, principal)

        def check_grant(principal: Principal) -> None:
            if self.grant and not principal.may(self.grant):
                access.audit.record(Action.ACCESS_DENY, self.name, result=Result.REFUSED, grant=self.grant.value)
                raise Forbidden(self.grant)

        async def respond(request: web.Request, principal: Principal) -> web.StreamResponse:
            check_grant(principal)
            if self.costly:
                check_costly(request, principal)
            query = request.query
            if self.ignores_unknown:
                query = MultiDictProxy(MultiDict((name, text) for name, text in query.items() if name in names))
            parameters = read_parameters(
                self.parameters, known, path=request.match_info, query=query, headers=request.headers
            )
            most = MAX_PUBLIC_BODY_BYTES if self.public else MAX_BODY_BYTES
            raw = await read_request_body(request, most) if self.method in ("POST", "PUT") else b""
            if raw and not self.public:  # whoever sends it slowly may have been locked meanwhile
                principal = access.authenticate(request, again=True)
                check_grant(principal)
            body = read_body(raw if self.has_body else b"", reader, empty=empty)
            return await handler(TypedRequest(request, principal, parameters, body))

        # aiohttp's own pattern for a parameter leaves out braces, which an id that a client chose may have.
        path = re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", self.path)
        return web.get(path, handle) if self.method == "GET" else web.route(self.method, path, handle)

    @property
    def parameter_specs(self) -> tuple[Parameter, ...]:
        return parameters_of(self.parameters, self.path)

    @property
    def has_body(self) -> bool:
        return self.body is not Nothing

    @property
    def body_optional(self) -> bool:
        """No body at all then is one without fields. Not of a PUT, which replaces as a whole: it would clear all."""
        return self.method != "PUT" and not any(one.required for one in msgspec.structs.fields(self.body))

    @property
    def all_problems(self) -> tuple[str, ...]:
        """Also those that follow from what the endpoint is, in the order of their statuses."""
        found = {"invalid_request", "forbidden", "error", *self.problems}
        found.add("too_many")
        if not self.public:
            found.add("unauthorized")
        if self.method in ("POST", "PUT"):
            found |= {"too_large", "timeout"}
        return tuple(code for code in PROBLEM_TYPES if code in found)
