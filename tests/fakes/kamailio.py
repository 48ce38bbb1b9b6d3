"""A tiny Kamailio: JSON-RPC over HTTP as its modules xhttp, jsonrpcs, usrloc and htable answer (5.6.3), with knobs.

    async with FakeKamailio() as edge:
        edge.register("1001", "sip:1001@192.0.2.7:5060")
        rpc = EdgeRpc(edge.url, edge.token)

`contacts` holds who is registered, `tables` the hash tables, `requests` what was asked, in order.
"""

import asyncio
import json
from typing import Any, Self

from aiohttp import web


class FakeKamailio:
    token = "the-token-of-the-edge-in-this-test-only"

    def __init__(self) -> None:
        self.contacts: dict[str, list[dict[str, Any]]] = {}
        self.tables: dict[str, set[str]] = {"ha1": set(), "fresh": set()}
        self.requests: list[tuple[str, ...]] = []
        self.sockets: list[tuple[str, str, int]] = []  # for SIP: transport, address, port
        self.body: bytes | None = None  # answered to everything
        self.hang = False  # nothing is answered
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Again at the port of before, if it was started before."""
        app = web.Application()
        app.router.add_post("/RPC", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/RPC"

    def register(self, user: str, uri: str, **more: Any) -> None:
        """`more`: other values of the contact, by Kamailio's names with `_` for `-`."""
        contact = {
            "Address": uri,
            "Expires": 3600,
            "Q": -1,
            "Call-ID": "a@b",
            "CSeq": 1,
            "User-Agent": "[not set]",
            "Received": "[not set]",
            "Path": "[not set]",
            "State": "CS_NEW",
            "Socket": "udp:127.0.0.1:5060",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        self.contacts.setdefault(user, []).append({"Contact": contact})
        self.tables["ha1"].add(user)
        self.tables["fresh"].add(user)

    async def _answer(self, request: web.Request) -> web.Response:
        if self.hang:
            await asyncio.sleep(60)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        if self.body is not None:
            return web.Response(body=self.body)
        asked = json.loads(await request.read())
        self.requests.append((asked["method"], *asked["params"]))
        match asked["method"], asked["params"]:
            case "ul.dump", []:
                return self._found(asked, self._dump())
            case "ul.rm", ["location", user]:
                self.contacts.pop(user, None)
                return self._found(asked, {})
            case "htable.delete", [name, user] if name in self.tables:
                if user not in self.tables[name]:
                    return self._fault(asked, 404, "Key not found in htable.")
                self.tables[name].remove(user)
                return self._found(asked, "Ok. Key deleted.")
            case "core.sockets_list", []:
                return self._found(asked, self._sockets())
            case "core.version", []:
                return self._found(asked, "kamailio 5.6.3 (x86_64/linux) ")
        return self._fault(asked, 500, "Method Not Found")

    def _sockets(self) -> list[dict[str, Any]]:
        rpc = ("tcp", "127.0.0.1", self._port)
        return [
            {"socket": {"proto": proto, "address": host, "port": str(port), "mcast": "no", "mhomed": "no"}}
            for proto, host, port in (*self.sockets, rpc)
        ]

    def _dump(self) -> dict[str, Any]:
        records = [{"Info": {"AoR": user, "HashID": 1, "Contacts": all_}} for user, all_ in self.contacts.items()]
        stats = {"Records": len(records), "Max-Slots": 1}
        return {"Domains": [{"Domain": {"Domain": "location", "Size": 1024, "AoRs": records, "Stats": stats}}]}

    def _found(self, asked: dict[str, Any], result: Any) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "result": result, "id": asked["id"]})

    def _fault(self, asked: dict[str, Any], code: int, message: str) -> web.Response:
        error = {"code": code, "message": message}
        return web.json_response({"jsonrpc": "2.0", "error": error, "id": asked["id"]}, status=code)
