"""What strangers are told, and how often Asterisk is asked for it: findings 10 and 27 of the review."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts.users_file import UsersFile
from frontend.auth.proxies import parse_proxies
from tests.security.servers import serving

TOKEN = "t" * 32
PASSWORD = "correct horse battery staple"


async def test_a_flood_of_health_checks_asks_asterisk_once_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, aiohttp.ClientSession(server.app.url) as http:

        async def check() -> int:
            async with http.get("/health") as response:
                return response.status

        await asyncio.sleep(0.5)  # the requests of the start are over
        before = server.pbx.count("asterisk.getInfo")
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(5):
            assert set(await asyncio.gather(*(check() for _ in range(100)))) == {200}
        assert server.pbx.count("asterisk.getInfo") - before <= 1 + (loop.time() - began)


@pytest.mark.parametrize("headers", ["", "\nAuthorization: Bearer x", "\nX-Forwarded-For: 127.0.0.1", "\nVia: 1.1 a"])
async def test_strangers_are_told_one_word(tmp_path: Path, headers: str) -> None:
    UsersFile(tmp_path / "users").add("1001", PASSWORD)
    async with serving(tmp_path, enable_authentication=True) as server:
        stranger = await server.send(f"GET /health HTTP/1.1\nHost: phone.example.com{headers}")
        metrics = await server.send(f"GET /metrics HTTP/1.1\nHost: phone.example.com{headers}")
        body = json.dumps({"user": "1001", "password": PASSWORD})
        signed_in = await server.send(
            f"POST /session HTTP/1.1\nHost: a\nContent-Type: application/json\nContent-Length: {len(body)}\n\n{body}"
        )
        token = json.loads(signed_in.body)["token"]
        known = await server.send(f"GET /health HTTP/1.1\nHost: phone.example.com\nAuthorization: Bearer {token}")
    assert stranger.status == 200 and json.loads(stranger.body) == {"status": "ok"}
    assert metrics.status == 401 and b"METRICS_TOKEN" in metrics.body and b"python_info" not in metrics.body
    assert json.loads(known.body)["checks"]["ari"]["ok"]


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, "Host: 127.0.0.1:3000", 200),
        ({}, "Host: phone.example.com", 401),
        ({}, "Host: phone.example.com\nAuthorization: Bearer ", 401),
        ({}, "Host: 127.0.0.1:3000\nX-Forwarded-For: 192.0.2.1", 401),
        ({"trusted_proxies": parse_proxies("loopback")}, "Host: 127.0.0.1:3000\nX-Forwarded-For: 192.0.2.1", 401),
        ({"metrics_token": TOKEN}, f"Host: phone.example.com\nAuthorization: Bearer {TOKEN}", 200),
        ({"metrics_token": TOKEN}, "Host: phone.example.com\nAuthorization: Bearer t", 401),
    ],
)
async def test_metrics_are_for_this_machine_and_a_token(
    tmp_path: Path, settings: dict[str, Any], headers: str, status: int
) -> None:
    async with serving(tmp_path, enable_authentication=True, **settings) as server:
        assert (await server.send(f"GET /metrics HTTP/1.1\n{headers}")).status == status
