"""`GET /health`: can calls be made? 200, or 503 with the reasons.

`degraded` is 200: an rtpengine is missing, what is to be kept of calls cannot be written, a restart of Asterisk is
pending (calls that stand go on until then), or the dialplan has not the context that calls begin in.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.ari.client import Ari
from ari_bridge.ari.readiness import Readiness
from ari_bridge.call_store import CallStore
from ari_bridge.errors import PeerError
from ari_bridge.media.node_health import NodeReport
from ari_bridge.media.pool import Pool
from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

CHECK_TIMEOUT_S = 2.0
PROBE_INTERVAL_S = 1.0
"""Between two requests to Asterisk, whatever is asked of us."""
RETRY_AFTER_S = "5"

_Status = Literal["ok", "degraded", "draining", "unavailable"]


class PartCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    ok: bool
    reason: Annotated[
        str | None, Meta(description="why it is not ok; with `ok`: what is wrong although calls can be made")
    ] = None
    version: str | None = None


class NodeCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rtpengine."""

    ok: Annotated[bool, Meta(description="accepts calls")]
    address: str
    state: str
    sessions: int
    reason: Annotated[str | None, Meta(description="why it does not accept calls")] = None
    seconds: Annotated[float | None, Meta(description="duration of its last response")] = None


class MediaCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    ok: Annotated[bool, Meta(description="at least one accepts calls")]
    nodes: list[NodeCheck]
    reason: str | None = None


class Checks(msgspec.Struct, frozen=True, omit_defaults=True):
    ari: PartCheck
    pbx: Annotated[
        PartCheck,
        Meta(description="creates channels and media legs, and has the dialplan context in which calls start"),
    ]
    rtpengine: MediaCheck
    store: Annotated[PartCheck, Meta(description="the call store")]
    recordings: PartCheck
    records: PartCheck
    audit: Annotated[PartCheck, Meta(description="the audit log")]
    outgoing: Annotated[PartCheck, Meta(description="not ok while an operator has stopped all outgoing calls")]


class HealthData(msgspec.Struct, frozen=True, omit_defaults=True):
    status: _Status
    version: Annotated[str | None, Meta(description="for those who may see the details")] = None
    checks: Annotated[Checks | None, Meta(description="for those who may see the details")] = None


def _example(status: Literal["ok", "unavailable"], ari: PartCheck) -> HealthData:
    fine = PartCheck(True)
    media = MediaCheck(True, [NodeCheck(True, "127.0.0.1:2223", "up", 1, seconds=0.000412)])
    return HealthData(status, "0.1.0", Checks(ari, fine, media, fine, fine, fine, fine, fine))


HEALTH = Endpoint(
    name="showHealth",
    method="GET",
    path="/health",
    tag="Watching",
    summary="Check whether calls can be made",
    description=(
        "`degraded`: yes, but an rtpengine is unavailable, data about calls cannot be stored, another client has taken "
        "over our ARI application within the last minute, a restart of Asterisk is pending, or Asterisk lacks the "
        "dialplan context in which calls start, or an operator has stopped outgoing calls. `draining`: active calls "
        "continue, but new ones are not accepted.\n\n"
        "Needs no token; the details are for those who send one, and for programs on the server's own machine. "
        "Asterisk is asked at most once a second."
    ),
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="Yes: `ok` or `degraded`",
            shape=HealthData,
            example=_example("ok", PartCheck(True, version="22.5.2")),
        ),
        503: ResponseSpec(
            description="No: `unavailable` or `draining`",
            shape=HealthData,
            headers={"Retry-After": "Seconds."},
            example=_example("unavailable", PartCheck(False, "no ARI event stream: connection refused")),
        ),
    },
    public=True,
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (HEALTH,)


class Health:
    """`draining`: active calls continue, but new ones are not accepted here.

    `parts`: by name, why a component that calls do not need does not work; "" if it works.
    """

    def __init__(
        self,
        ari: Ari,
        readiness: Readiness,
        media: Pool,
        store: CallStore,
        parts: Mapping[str, Callable[[], str]],
        *,
        version: str,
    ) -> None:
        self._parts = parts
        self.draining = False
        self._ari = ari
        self._readiness = readiness
        self._media = media
        self._store = store
        self._version = version
        self._probe: asyncio.Task[PartCheck] | None = None
        self._probed_at = 0.0
        self._access: Authenticator | None = None

    def routes(self, access: Authenticator) -> list[web.RouteDef]:
        self._access = access
        return [HEALTH.route(access, self.health)]

    async def health(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        ari, media = await self._check_ari(), self._check_media()
        store = PartCheck(self._store.healthy, self._store.reason or None)
        pbx = _part(self._readiness.reason)
        ok = ari.ok and self._readiness.calls and media.ok and not self.draining
        parts = {name: _part(reason()) for name, reason in self._parts.items()}
        whole = all(part.ok for part in (pbx, store, *parts.values())) and all(node.ok for node in media.nodes)
        whole = whole and not ari.reason
        status: _Status = "draining" if self.draining else "unavailable"
        if ok:
            status = "ok" if whole else "degraded"
        headers = {"Cache-Control": "no-store"}
        if not ok:
            headers["Retry-After"] = RETRY_AFTER_S
        data = HealthData(status)
        if self._may_see_details(request.raw):
            data = HealthData(status, self._version, Checks(ari, pbx, media, store, **parts))
        return json_response(data, status=200 if ok else 503, headers=headers)

    def _may_see_details(self, request: web.Request) -> bool:
        if self._access is None or self._access.addresses.is_local(request):
            return True
        try:
            self._access.authenticate(request)
        except Unauthorized:
            return False
        return True

    async def _check_ari(self) -> PartCheck:
        if not self._ari.connected:
            return PartCheck(False, f"no ARI event stream: {self._ari.failure}")
        now = time.monotonic()
        if self._probe is None or (self._probe.done() and now - self._probed_at >= PROBE_INTERVAL_S):
            self._probed_at = now
            self._probe = asyncio.create_task(self._probe_ari())
        return await asyncio.shield(self._probe)

    async def _probe_ari(self) -> PartCheck:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                info = await self._ari.info()
        except (PeerError, TimeoutError) as error:
            return PartCheck(False, str(error) or f"no answer within {CHECK_TIMEOUT_S:g} s")
        return PartCheck(True, self._ari.taken_over or None, info.version)

    def _check_media(self) -> MediaCheck:
        """As of the pool's last pings, at most 1.5 s ago: a health check sends none itself."""
        reports = self._media.reports()
        ok = any(report.takes_calls for report in reports)
        reason = "; ".join(f"{report.address}: {report.reason or report.state}" for report in reports)
        return MediaCheck(ok, list(map(_node, reports)), None if ok else reason)


def _part(reason: str) -> PartCheck:
    return PartCheck(not reason, reason or None)


def _node(report: NodeReport) -> NodeCheck:
    return NodeCheck(
        ok=report.takes_calls,
        address=report.address,
        state=report.state,
        sessions=report.sessions,
        reason=report.reason or None,
        seconds=None if report.seconds is None else round(report.seconds, 6),
    )
