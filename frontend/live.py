"""`GET /live`: calls, channels and bridges as they stand. `GET /stats`: counts. `GET /metrics`: for Prometheus."""

import asyncio
import time
from collections import Counter
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.resources import Bridge, Channel
from ari_bridge.calls.manager import Calls
from ari_bridge.errors import PeerError
from ari_bridge.hooks import CallEnded, CallStarted, HookEvent, Hooks, call_data
from ari_bridge.ids import parse_resource_id
from ari_bridge.metrics import REGISTRY
from frontend.auth import Access
from frontend.connections import Connections
from frontend.events import EventLog
from frontend.middleware import json_response
from frontend.pages import OpenPages


class Live:
    def __init__(
        self,
        ari: Ari,
        calls: Calls,
        hooks: Hooks,
        events: EventLog,
        connections: Connections,
        pages: OpenPages,
        access: Access,
    ) -> None:
        self._ari = ari
        self._calls = calls
        self._events = events
        self._connections = connections
        self._pages = pages
        self._access = access
        self._since = time.time()
        self._started: Counter[str] = Counter()  # by direction
        self._outcomes: Counter[str] = Counter()
        hooks.tap(self._count)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/live", self.live),
            web.get("/stats", self.stats),
            web.get("/metrics", self.metrics),
        ]

    def _count(self, event: HookEvent) -> None:
        match event:
            case CallStarted(call=call):
                self._started[call.direction.value] += 1
            case CallEnded(call=call) if call.outcome:
                self._outcomes[call.outcome.value] += 1

    async def live(self, request: web.Request) -> web.Response:
        self._access.of_request(request.headers.get("Authorization"))
        # Before the PBX is asked: what changes meanwhile comes as an event after this number.
        last_id = self._events.last_id
        reason = None
        channels: list[Channel] = []
        bridges: list[Bridge] = []
        try:
            channels, bridges = await asyncio.gather(self._ari.channels.list(), self._ari.bridges.list())
        except PeerError as error:
            reason = str(error)
        data: dict[str, Any] = {
            "calls": [call_data(call) for call in self._calls.live()],
            "channels": [_channel(channel) for channel in channels],
            "bridges": [_bridge(bridge) for bridge in bridges],
            "lastEventId": last_id,
            "reason": reason,
        }
        return json_response(data)

    async def stats(self, request: web.Request) -> web.Response:
        self._access.of_request(request.headers.get("Authorization"))
        live = self._calls.live()
        return json_response(
            {
                "since": self._since,
                "activeCalls": len(live),
                "activeByState": Counter(call.state.value for call in live),
                "started": {"inbound": self._started["inbound"], "outbound": self._started["outbound"]},
                "outcomes": self._outcomes,
                "connections": self._connections.count(),
                "usersOnline": len(self._pages.users()),
            }
        )

    async def metrics(self, request: web.Request) -> web.Response:
        """Not behind the sign-in: Prometheus has none. Nothing in it names a user or a number."""
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "state": channel.state,
        "caller": channel.caller.number,
        "connected": channel.connected.number,
        "createdAt": channel.creationtime,
        "callId": _call_of(channel.id),
    }


def _bridge(bridge: Bridge) -> dict[str, Any]:
    return {
        "id": bridge.id,
        "technology": bridge.technology,
        "type": bridge.bridge_type,
        "channels": bridge.channels,
        "callId": _call_of(bridge.id),
    }


def _call_of(name: str) -> str | None:
    parsed = parse_resource_id(name)
    return parsed[0] if parsed else None
