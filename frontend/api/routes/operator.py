"""What operators do in an emergency: end calls, all of a user or a tenant, and stop all outgoing calls."""

import time
from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.audit import Action, recorded
from ari_bridge.dial_permissions import OutgoingStop, OutgoingSwitch
from ari_bridge.engine.bulk_hangup import Ended
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import InvalidRequest
from ari_bridge.hooks import Hooks, OutgoingAllowed, OutgoingStopped
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.http import examples
from frontend.http.endpoint import Access, Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

log = structlog.get_logger(__name__)

# --- what is asked and answered ----------------------------------------------------


class EndCallsBody(msgspec.Struct, frozen=True, rename="camel"):
    """Exactly one of `callId`, `user` and `tenant`."""

    call_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    user: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    tenant: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class EndedCalls(msgspec.Struct, frozen=True, rename="camel"):
    calls: Annotated[list[str], Meta(description="ids of the calls that are being ended")]
    forwards: Annotated[int, Meta(description="how many forwarded calls are being ended")] = 0


class OutgoingBody(msgspec.Struct, frozen=True, rename="camel"):
    allowed: bool
    end_calls: Annotated[
        bool, Meta(description="with `allowed` false: end the calls too that have gone outside already")
    ] = True
    reason: Annotated[str, Meta(max_length=200, description="shown to other operators")] = ""


class OutgoingData(msgspec.Struct, frozen=True, rename="camel"):
    allowed: bool
    by: Annotated[str, Meta(description="who has stopped them; empty if that is not known, or they are allowed")] = ""
    at: Annotated[float | None, Meta(description="since when they are stopped, Unix seconds")] = None
    reason: str = ""
    ended: Annotated[EndedCalls | None, Meta(description="the calls that are being ended for it")] = None


OPERATING = "Operating"
_STOPPED = OutgoingData(False, "2002", examples.AT, "fraud on 1001", EndedCalls([examples.CALL_ID]))
END = Endpoint(
    name="endCalls",
    method="POST",
    path="/calls/end",
    tag=OPERATING,
    summary="End a call, or all calls of a user or a tenant",
    description=(
        "Also calls that the user has left, transferred or forwarded. Emergency calls go on unless they are named by "
        "`callId`. The user can call again at once: lock the user to prevent that, which ends the user's calls too."
    ),
    grant=Grant.CALLS_CONTROL,
    parameters=Nothing,
    body=EndCallsBody,
    responses={
        200: ResponseSpec(
            description="What is being ended", shape=EndedCalls, example=EndedCalls([examples.CALL_ID], 1)
        )
    },
    problems=("unknown_call",),
    example_body=EndCallsBody(user="1001"),
)
SHOW = Endpoint(
    name="showOutgoing",
    method="GET",
    path="/outgoing",
    tag=OPERATING,
    summary="Show whether outgoing calls are allowed",
    grant=Grant.CALLS_CONTROL,
    parameters=Nothing,
    body=Nothing,
    responses={200: ResponseSpec(description="The switch", shape=OutgoingData, example=_STOPPED)},
)
SWITCH = Endpoint(
    name="switchOutgoing",
    method="PUT",
    path="/outgoing",
    tag=OPERATING,
    summary="Stop all outgoing calls, or allow them again",
    description=(
        "While they are stopped, nobody can dial other than internal and emergency numbers, in any way. The switch "
        "outlives restarts. `/health` is `degraded` meanwhile."
    ),
    grant=Grant.CALLS_STOP,
    parameters=Nothing,
    body=OutgoingBody,
    responses={200: ResponseSpec(description="The switch", shape=OutgoingData, example=_STOPPED)},
    problems=("unavailable",),
    example_body=OutgoingBody(False, reason="fraud on 1001"),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (END, SHOW, SWITCH)


# --- the handlers ----------------------------------------------------------------------


class OperatorApi:
    """`switch`: by which outgoing calls are stopped. `hooks`: are told of it."""

    def __init__(self, calls: CallManager, switch: OutgoingSwitch, hooks: Hooks, access: Access) -> None:
        self._calls = calls
        self._switch = switch
        self._hooks = hooks
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [END.route(access, self.end), SHOW.route(access, self.show), SWITCH.route(access, self.switch)]

    async def end(self, request: TypedRequest[Nothing, EndCallsBody]) -> web.Response:
        body, by = request.body, _who(request.principal)
        if sum(one is not None for one in (body.call_id, body.user, body.tenant)) != 1:
            raise InvalidRequest("Name exactly one: callId, user or tenant.", field="user")
        log.warning(
            "an operator ends calls",
            by=by,
            address=request.principal.address,
            call=body.call_id,
            user=body.user,
            tenant=body.tenant,
        )
        named = {"call": body.call_id, "user": body.user, "tenant": body.tenant}
        what, of = next((kind, value) for kind, value in named.items() if value is not None)
        with recorded(self._access.audit, Action.CALL_END, of, what=what):
            return json_response(await self._end(body, by))

    async def _end(self, body: EndCallsBody, by: str) -> EndedCalls:
        """Raises UnknownCall."""
        if body.call_id is not None:
            self._calls.hangup(body.call_id)
            return EndedCalls([body.call_id])
        if body.user is not None:
            return _ended(await self._calls.bulk.end_of_user(body.user, f"{by} ends the calls of user {body.user}"))
        tenant = body.tenant or ""
        return _ended(await self._calls.bulk.end_of_tenant(tenant, f"{by} ends the calls of tenant {tenant}"))

    async def show(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        return json_response(self._state())

    async def switch(self, request: TypedRequest[Nothing, OutgoingBody]) -> web.Response:
        body, by = request.body, _who(request.principal)
        log.warning("an operator switches outgoing calls", by=by, address=request.principal.address, allow=body.allowed)
        before = self._switch.stop
        if body.allowed:
            await self._switch.set(None)
            if before:
                self._access.audit.record(Action.OUTGOING_RESUME)
                self._hooks.emit(OutgoingAllowed(by))
            return json_response(self._state())
        stopping = None if before else OutgoingStop(time.time(), by, body.reason)
        try:
            if stopping:
                await self._switch.set(stopping)
        finally:  # also if it could not be stored: it is in force
            if stopping:
                self._access.audit.record(Action.OUTGOING_STOP, reason=body.reason)
                self._hooks.emit(OutgoingStopped(by, body.reason))
            ended = await self._calls.bulk.end_outgoing(f"{by} stops outgoing calls") if body.end_calls else None
        return json_response(self._state(ended))

    def _state(self, ended: Ended | None = None) -> OutgoingData:
        stop, calls = self._switch.stop, _ended(ended) if ended else None
        if stop is None:
            return OutgoingData(True)
        return OutgoingData(False, stop.by, stop.at or None, stop.reason, calls)


def _ended(ended: Ended) -> EndedCalls:
    return EndedCalls(ended.calls, ended.forwards)


def _who(principal: Principal) -> str:
    return principal.name or f"somebody at {principal.address}"
