"""Whose a connection is: that of the user whose token a request brings, or of a stranger at the client's address."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.auth.sign_in_pace import network_of
from frontend.http.connection_table import ConnectionsFull, Holder, HolderKind
from frontend.http.middleware import Handler
from frontend.http.problems import ProblemError
from frontend.http.server import ClientProtocol

RETRY_AFTER_S = 5.0


def connections_held(access: Authenticator) -> Middleware:
    """Counts each request's connection for whoever sends it; refuses those who have too many."""

    @web.middleware
    async def hold(request: web.Request, handler: Handler) -> web.StreamResponse:
        if isinstance(request.protocol, ClientProtocol):
            try:
                request.protocol.hold(holder_of(request, access))
            except ConnectionsFull as error:
                raise ProblemError("too_many", describe(error), retry_after=RETRY_AFTER_S) from None
        return await handler(request)

    return hold


def holder_of(request: web.Request, access: Authenticator) -> Holder:
    try:
        principal = access.authenticate(request)
    except Unauthorized:
        principal = None
    if principal and principal.user_id:
        return Holder(HolderKind.USER, principal.user_id)
    return Holder(HolderKind.STRANGER, network_of(access.addresses.of(request)))


def describe(error: ConnectionsFull) -> str:
    match error.limit:
        case "per_user":
            return "You have too many connections: close some pages."
        case "per_network":
            return "Too many connections from your address."
    return "The server has too many connections."
