"""`GET /health`: can calls be made? 200, or 503 with the reasons.

`degraded` is 200: calls can be made, but an rtpengine is missing, or what is to be kept of calls cannot be written.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from ari_bridge.ari.client import Ari
from ari_bridge.errors import PeerError
from ari_bridge.media.health import NodeReport
from ari_bridge.media.pool import Pool
from ari_bridge.store import CallStore
from frontend.middleware import json_response

CHECK_SECONDS = 2.0


class Health:
    """`draining`: calls that stand go on, but no new one is begun here.

    `parts`: by name, why something that calls do not need does not work; "" where it does.
    """

    def __init__(
        self, ari: Ari, media: Pool, store: CallStore, parts: Mapping[str, Callable[[], str]], *, version: str
    ) -> None:
        self._parts = parts
        self.draining = False
        self._ari = ari
        self._media = media
        self._store = store
        self._version = version

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/health", self.health)]

    async def health(self, request: web.Request) -> web.Response:
        ari, media = await self._check_ari(), self._check_media()
        store: dict[str, Any] = {"ok": self._store.healthy}
        if self._store.reason:
            store["reason"] = self._store.reason
        ok = ari["ok"] and media["ok"] and not self.draining
        parts = {name: _part(reason()) for name, reason in self._parts.items()}
        whole = all(part["ok"] for part in [store, *media["nodes"], *parts.values()])
        status = ("ok" if whole else "degraded") if ok else "draining" if self.draining else "unavailable"
        checks = {"ari": ari, "rtpengine": media, "store": store, **parts}
        data = {"status": status, "version": self._version, "checks": checks}
        return json_response(data, status=200 if ok else 503, headers={"Cache-Control": "no-store"})

    async def _check_ari(self) -> dict[str, Any]:
        if not self._ari.connected:
            return {"ok": False, "reason": f"no ARI event stream: {self._ari.failure}"}
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                info = await self._ari.info()
        except (PeerError, TimeoutError) as error:
            return {"ok": False, "reason": str(error) or f"no answer within {CHECK_SECONDS:g} s"}
        return {"ok": True, "version": info.version}

    def _check_media(self) -> dict[str, Any]:
        """As the pool's pings saw it, which is at most 1.5 s ago: whoever asks for health causes none."""
        reports = self._media.reports()
        check: dict[str, Any] = {"ok": any(report.takes_calls for report in reports)}
        if not check["ok"]:
            check["reason"] = "; ".join(f"{report.address}: {report.reason or report.state}" for report in reports)
        return check | {"nodes": [_node(report) for report in reports]}


def _part(reason: str) -> dict[str, Any]:
    return {"ok": False, "reason": reason} if reason else {"ok": True}


def _node(report: NodeReport) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ok": report.takes_calls,
        "address": report.address,
        "state": report.state,
        "sessions": report.sessions,
    }
    if report.reason:
        told["reason"] = report.reason
    if report.seconds is not None:
        told["seconds"] = round(report.seconds, 6)  # of the last ping
    return told
