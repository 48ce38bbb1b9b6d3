"""The gate before each request: whose connection it counts for, and how many requests its sender may send.

A request with a valid token counts for its user, any other for the client's address; so does one with an API key of a
page, or of a guest there: whoever opens the page has as many of these names as they like. Without sign-in (loopback
only) nothing is limited but the number of connections; nor is the SIP edge, which asks for all phones together.
"""

from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from ari_bridge import metrics
from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.auth.principal import Principal
from frontend.auth.sign_in_pace import network_of
from frontend.auth.sip_edge_token import SipEdgeToken
from frontend.http.connection_table import ConnectionsFull, Holder, HolderKind
from frontend.http.cors import Origins
from frontend.http.middleware import Handler, allow_origin
from frontend.http.problems import ProblemError, problem, problem_response
from frontend.http.request_ids import request_id
from frontend.http.server import ClientProtocol
from frontend.http.token_buckets import Rate, TokenBuckets

BURST_S = 10.0
"""As many requests at once as may be sent in this time."""
STRANGERS_SHARE = 5.0
"""An address may send so many times what a user may: there may be a company behind it that opens the page."""
COSTLY_SHARE = 0.1
"""The part of a user's requests that may be for routes that search, or ask Asterisk."""
MAX_EXCESS = 20
"""Consecutive requests above the rate; at one more the connection is closed."""
RETRY_AFTER_S = 5.0
EDGE = Holder(HolderKind.USER, "SIP edge")
"""Whose connections those of the SIP edge are: no user's id has a space."""


@dataclass(frozen=True)
class RequestRates:
    """How many requests per second: of one user; of the strangers at one address; costly ones of one user."""

    users: TokenBuckets
    strangers: TokenBuckets
    costly: TokenBuckets

    @classmethod
    def of(cls, per_second: float) -> "RequestRates":
        """`per_second`: of one user."""

        def buckets(share: float) -> TokenBuckets:
            return TokenBuckets(Rate(share * per_second, max(5.0, share * per_second * BURST_S)))

        return cls(buckets(1.0), buckets(STRANGERS_SHARE), buckets(COSTLY_SHARE))


RATES = web.AppKey("request_rates", RequestRates)


def requests_limited(access: Authenticator, origins: Origins, rates: RequestRates, edge: SipEdgeToken) -> Middleware:
    """429 for a request of whoever has too many connections or sends too many requests."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        from_edge = edge.is_in(request)
        principal, holder = (None, EDGE) if from_edge else _sender(request, access)
        try:
            if isinstance(request.protocol, ClientProtocol):
                request.protocol.hold(holder)
        except ConnectionsFull as error:
            return _refusal(request, access, origins, describe(error), RETRY_AFTER_S)
        if not from_edge and (principal is None or not principal.unrestricted):
            bucket = (rates.strangers if holder.kind is HolderKind.STRANGER else rates.users).of(holder.name)
            if wait := bucket.take():
                response = _refusal(request, access, origins, "You send too many requests.", wait)
                if bucket.refused > MAX_EXCESS:
                    response.force_close()
                return response
        return await handler(request)

    return check


def check_costly(request: web.Request, principal: Principal) -> None:
    """Count a request for a costly route. Raises ProblemError."""
    rates = request.config_dict.get(RATES)
    if rates is None or principal.unrestricted:
        return
    if wait := rates.costly.take(principal.counted_as):
        metrics.REQUESTS_REFUSED.labels("costly").inc()
        raise ProblemError("too_many", "You send too many requests of this kind.", retry_after=wait)


def describe(error: ConnectionsFull) -> str:
    match error.limit:
        case "per_user":
            return "You have too many connections: close some pages."
        case "per_network":
            return "There are too many connections from your address."
    return "The server has too many connections."


def _sender(request: web.Request, access: Authenticator) -> tuple[Principal | None, Holder]:
    """The principal of a valid token, and for whom the request counts."""
    try:
        principal = access.authenticate(request)
    except Unauthorized:
        principal = None
    if principal and principal.user_id and not principal.public:
        return principal, Holder(HolderKind.USER, principal.user_id)
    return principal, Holder(HolderKind.STRANGER, network_of(access.addresses.of(request)))


def _refusal(
    request: web.Request, access: Authenticator, origins: Origins, detail: str, retry_after: float
) -> web.Response:
    """Readable for pages of allowed origins too, so that they know when to retry."""
    metrics.REQUESTS_REFUSED.labels("rate").inc()
    response = problem_response(
        problem("too_many", detail, retry_after=max(1.0, retry_after), request_id=request_id(request))
    )
    origin = request.headers.get("Origin")
    if origin is not None and origins.allow(origin, access.addresses.host(request)):
        allow_origin(response, origin)
    return response
