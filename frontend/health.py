"""`GET /health`: can calls be made? 200, or 503 with the reasons."""

import asyncio
from typing import Any

from aiohttp import web

from ari_bridge.ari.client import Ari
from ari_bridge.errors import PeerError
from ari_bridge.media.engine import Rtpengine
from frontend.middleware import json_response

CHECK_SECONDS = 2.0


class Health:
    def __init__(self, ari: Ari, media: Rtpengine, *, version: str) -> None:
        self._ari = ari
        self._media = media
        self._version = version

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/health", self.health)]

    async def health(self, request: web.Request) -> web.Response:
        ari, media = await asyncio.gather(self._check_ari(), self._check_media())
        ok = ari["ok"] and media["ok"]
        status = "ok" if ok else "unavailable"
        data = {"status": status, "version": self._version, "checks": {"ari": ari, "rtpengine": media}}
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

    async def _check_media(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                seconds = await self._media.ping()
        except (PeerError, TimeoutError) as error:
            return {"ok": False, "reason": str(error) or f"no answer within {CHECK_SECONDS:g} s"}
        return {"ok": True, "seconds": round(seconds, 6)}
