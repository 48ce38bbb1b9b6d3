"""`GET /live`: current calls, channels and bridges. `GET /stats`: counts. `GET /metrics`: for Prometheus."""

import time
from collections import Counter
from hmac import compare_digest
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.audit import Action
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.fsm.call_data import CallData
from ari_bridge.hooks import CallEnded, CallStarted, HookEvent, Hooks
from ari_bridge.metrics import REGISTRY
from frontend.api.pbx_snapshot import PbxSnapshots
from frontend.api.routes.call_endpoints import EXAMPLE_CALL
from frontend.api.routes.event_stream import EventStreams
from frontend.api.watching import Reading
from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.auth.grants import Grant
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response
from frontend.presence.registrar import WebSocketRegistrar
from frontend.websocket.hub import ConnectionHub

# --- the endpoints ----------------------------------------------------------


class ChannelData(msgspec.Struct, frozen=True, rename="camel"):
    """A channel of Asterisk."""

    id: str
    name: str
    state: str
    caller: str
    connected: str
    created_at: Annotated[str, Meta(description="in Asterisk's format")]
    call_id: Annotated[str | None, Meta(description="the call that it belongs to; null if none")]


class BridgeData(msgspec.Struct, frozen=True, rename="camel"):
    """A bridge of Asterisk."""

    id: str
    technology: str
    type: str
    channels: Annotated[list[str], Meta(description="ids")]
    call_id: Annotated[str | None, Meta(description="the call that it belongs to; null if none")]


class LiveData(msgspec.Struct, frozen=True, rename="camel"):
    calls: list[CallData]
    channels: list[ChannelData]
    bridges: list[BridgeData]
    last_event_id: Annotated[int, Meta(description="follow `/events` from this id to miss no change")]
    reason: Annotated[str | None, Meta(description="why Asterisk could not be asked; null if it was")]


class Started(msgspec.Struct, frozen=True):
    inbound: int
    outbound: int


class StatsData(msgspec.Struct, frozen=True, rename="camel"):
    since: Annotated[float, Meta(description="Unix seconds: start of the server")]
    active_calls: int
    active_by_state: dict[str, int]
    started: Started
    outcomes: dict[str, int]
    connections: Annotated[int, Meta(description="open WebSockets")]
    users_online: int


WATCHING = "Watching"
_FAR = f"{examples.CALL_ID}-far"
LIVE = Endpoint(
    name="showLive",
    method="GET",
    path="/live",
    tag=WATCHING,
    summary="List current calls, channels and bridges",
    costly=True,
    grant=Grant.MONITOR_READ,
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The current state",
            shape=LiveData,
            example=LiveData(
                calls=[EXAMPLE_CALL],
                channels=[
                    ChannelData(
                        _FAR,
                        "Local/600@from-browser-00000000;1",
                        "Up",
                        "1001",
                        "600",
                        "2026-09-21T14:13:20.250+0000",
                        examples.CALL_ID,
                    )
                ],
                bridges=[
                    BridgeData(
                        f"{examples.CALL_ID}-br",
                        "simple_bridge",
                        "mixing",
                        [_FAR],
                        examples.CALL_ID,
                    )
                ],
                last_event_id=42,
                reason=None,
            ),
        )
    },
)
STATS = Endpoint(
    name="showStats",
    method="GET",
    path="/stats",
    tag=WATCHING,
    summary="Count calls, now and since the start",
    grant=Grant.MONITOR_READ,
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="Counts",
            shape=StatsData,
            example=StatsData(examples.AT, 1, {"accepted": 1}, Started(3, 5), {"completed": 6, "busy": 1}, 2, 1),
        )
    },
)
METRICS = Endpoint(
    name="showMetrics",
    method="GET",
    path="/metrics",
    tag=WATCHING,
    summary="Metrics for Prometheus",
    description=(
        "For programs on the server's own machine, and for those that send `METRICS_TOKEN` as a bearer token. "
        "Contains no user names and no numbers."
    ),
    problems=("unauthorized",),
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="Prometheus text format",
            media="text/plain",
            example='# TYPE active_calls gauge\nactive_calls{direction="inbound"} 1.0\n',
        )
    },
    public=True,
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (LIVE, STATS, METRICS)


# --- the handlers --------------------------------------------------------------


class Monitoring:
    def __init__(
        self,
        ari: Ari,
        calls: CallManager,
        hooks: Hooks,
        events: EventStreams,
        connections: ConnectionHub,
        pages: WebSocketRegistrar,
        access: Authenticator,
        metrics_token: str = "",
    ) -> None:
        self._metrics_token = metrics_token
        self._snapshots = PbxSnapshots(ari)
        self._calls = calls
        self._events = events
        self._connections = connections
        self._pages = pages
        self._access = access
        self._reading = Reading(access.audit)
        self._since = time.time()
        self._started: Counter[str] = Counter()  # by direction
        self._outcomes: Counter[str] = Counter()
        hooks.tap(self._count)

    def routes(self) -> list[web.RouteDef]:
        return [
            LIVE.route(self._access, self.live),
            STATS.route(self._access, self.stats),
            METRICS.route(self._access, self.metrics),
        ]

    def _count(self, event: HookEvent) -> None:
        match event:
            case CallStarted(call=call):
                self._started[call.direction.value] += 1
            case CallEnded(call=call) if call.outcome:
                self._outcomes[call.outcome.value] += 1

    async def live(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        self._reading.record(request.principal, Action.MONITOR_START, "live")
        # Before the PBX is asked: changes from here on come as events after this number.
        last_id = self._events.last_id
        pbx = await self._snapshots.next()
        live = LiveData(
            calls=list(map(CallData.of, self._calls.live())),
            channels=[_channel(one, self._calls.id_of(one.id)) for one in pbx.channels],
            bridges=[_bridge(one, self._calls.id_of(one.id)) for one in pbx.bridges],
            last_event_id=last_id,
            reason=pbx.reason,
        )
        return json_response(live)

    async def stats(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        self._reading.record(request.principal, Action.MONITOR_START, "stats")
        live = self._calls.live()
        stats = StatsData(
            since=self._since,
            active_calls=len(live),
            active_by_state=Counter(call.state.value for call in live),
            started=Started(self._started["inbound"], self._started["outbound"]),
            outcomes=self._outcomes,
            connections=self._connections.count(),
            users_online=len(self._pages.users()),
        )
        return json_response(stats)

    async def metrics(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        if not self._access.addresses.is_local(request.raw):
            given = request.raw.headers.get("Authorization", "").encode()
            if not self._metrics_token or not compare_digest(given, f"Bearer {self._metrics_token}".encode()):
                raise Unauthorized("Metrics are for this machine, and for programs that send METRICS_TOKEN.")
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _channel(channel: Channel, call_id: str | None) -> ChannelData:
    return ChannelData(
        id=channel.id,
        name=channel.name,
        state=channel.state,
        caller=channel.caller.number,
        connected=channel.connected.number,
        created_at=channel.creationtime,
        call_id=call_id,
    )


def _bridge(bridge: Bridge, call_id: str | None) -> BridgeData:
    return BridgeData(
        id=bridge.id,
        technology=bridge.technology,
        type=bridge.bridge_type,
        channels=list(bridge.channels),
        call_id=call_id,
    )
