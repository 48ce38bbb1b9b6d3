"""What a stolen sign-in may try: nothing that dial permissions refuse leaves by the trunk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.offers import OFFER
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = pytest.mark.real
COSTLY = ["+8821612345678", "09005123456", "0018765551234", "+19005550100"]
ROUTES = "+*=PJSIP/{target}@trunk; 0*=PJSIP/{target}@trunk"


class Trunk(asyncio.DatagramProtocol):
    """Everything that Asterisk sends to the trunk."""

    def __init__(self) -> None:
        self.invites: list[str] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data.startswith(b"INVITE "):
            self.invites.append(data.split(b"\r\n", 1)[0].decode())


@asynccontextmanager
async def trunk_of(site: LiveSystem) -> AsyncIterator[Trunk]:
    loop = asyncio.get_running_loop()
    transport, trunk = await loop.create_datagram_endpoint(Trunk, local_addr=("127.0.0.1", site.pbx.trunk_port))
    try:
        yield trunk
    finally:
        transport.close()


async def test_no_invite_leaves_for_a_number_that_is_refused(site_with: LiveSystemWith) -> None:
    async with (
        site_with(country="DE", dial_routes=ROUTES) as site,
        trunk_of(site) as trunk,
        aiohttp.ClientSession(site.app.url) as http,
        site.phone("1001") as phone,
    ):
        call = await phone.call("600")
        await call.wait_for("accepted", timeout=8)
        for number in COSTLY:
            asked: list[tuple[str, str, dict[str, Any]]] = [
                ("POST", "/invite", {"target": number, "sdp": OFFER}),
                ("POST", f"/call/{call.id}/transfer", {"target": number}),
                ("POST", f"/call/{call.id}/parties", {"target": number}),
                ("PUT", "/me/preferences?user=1001", {"forwardAlways": number}),
            ]
            for method, path, body in asked:
                async with http.request(method, path, json=body) as response:
                    problem = await response.json()
                assert (response.status, problem["code"]) == (403, "forbidden"), (path, problem)
        await asyncio.sleep(1.0)
        assert trunk.invites == []
        await call.hangup()


async def test_the_same_number_leaves_if_a_class_of_service_allows_it(
    site_with: LiveSystemWith, tmp_path: Path
) -> None:
    file = tmp_path / "dial-permissions.toml"
    file.write_text('default = "all"\n[classes]\nall = ["allow any", "allow satellite"]\n')
    async with (
        site_with(country="DE", dial_routes=ROUTES, dial_permissions_file=file) as site,
        trunk_of(site) as trunk,
        site.phone("1001") as phone,
    ):
        call = await phone.call(COSTLY[0])
        async with asyncio.timeout(8):
            while not trunk.invites:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert COSTLY[0] in trunk.invites[0]
        await call.hangup()
