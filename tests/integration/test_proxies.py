"""The server behind nginx, Caddy and HAProxy, below a path and under a name: all that pages and programs ask for."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from structlog.testing import capture_logs

from ari_bridge.accounts.users_file import UsersFile
from ari_bridge_client import Client
from ari_bridge_client.audio import Silence
from ari_bridge_client.http_client import HttpClient
from frontend.auth.proxies import parse_proxies
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.proxies import HOST, KINDS, NAME, Proxy

pytestmark = pytest.mark.real
CLIENT = "127.0.0.9"
"""Where programs ask from; the proxies are at 127.0.0.1."""


class ThisMachine(AbstractResolver):
    """Every name is this machine."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """As the resolver that it takes the place of."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=HOST, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


class Behind:
    """`http` asks by the name, through the proxy; `origin` is that of its pages."""

    def __init__(self, site: LiveSystem, proxy: Proxy, http: aiohttp.ClientSession) -> None:
        self.site = site
        self.proxy = proxy
        self.http = http
        self.origin = {"Origin": proxy.url.removesuffix("/phone")}

    async def sign_in(self, password: str, **headers: str) -> tuple[int, Any]:
        body = {"user": "1001", "password": password}
        async with self.http.post(f"{self.proxy.url}/session", json=body, headers=self.origin | headers) as response:
            return response.status, await response.json()


@pytest.fixture(params=KINDS)
async def behind(request: pytest.FixtureRequest, site_with: LiveSystemWith, tmp_path: Path) -> AsyncIterator[Behind]:
    async with behind_proxy(request.param, site_with, tmp_path) as running:
        yield running


@asynccontextmanager
async def behind_proxy(kind: str, site_with: LiveSystemWith, folder: Path) -> AsyncIterator[Behind]:
    UsersFile(folder / "users").add("1001", "right")
    accounts = {"enable_authentication": True, "users_file": folder / "users", "token_secret_file": folder / "secret"}
    async with site_with(**accounts, trusted_proxies=parse_proxies("127.0.0.1"), cors_origin="") as site:
        port = urlsplit(site.app.url).port
        assert port
        with Proxy(kind, folder / kind, port) as proxy:
            connector = aiohttp.TCPConnector(ssl=False, resolver=ThisMachine(), local_addr=(CLIENT, 0))
            async with aiohttp.ClientSession(connector=connector) as http:
                yield Behind(site, proxy, http)


async def test_a_server_below_a_path_and_behind_a_name(behind: Behind) -> None:
    http, url, origin = behind.http, behind.proxy.url, behind.origin
    big = {"Cookie": "others=" + "x" * 9000}

    # The page, from the address that people type, and every file that it names.
    for start in (url, f"{url}/", f"{url}/dashboard"):
        async with http.get(start, headers=big) as response:
            assert response.status == 200, start
            page, address = await response.text(), str(response.url)
        files = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert any("assets/" in file for file in files)
        for file in files:
            async with http.get(urljoin(address, file)) as response:
                assert response.status == 200, (start, file)
    async with http.get(f"http://{NAME}:{behind.proxy.plain_port}/phone/", allow_redirects=False) as response:
        assert response.headers["Location"].startswith(f"https://{NAME}"), "http leads to https"

    # What is told about the API.
    for path in ("docs", "openapi.json", "health", "config"):
        async with http.get(f"{url}/{path}", headers=big) as response:
            assert response.status in (200, 503), path
    async with http.get(f"{url}/openapi.json") as response:
        [server] = (await response.json())["servers"]
        assert urljoin(str(response.url), server["url"]).rstrip("/") == url

    # Signing in, from a page of this name; pages of others may not.
    status, told = await behind.sign_in("right", **big)
    assert status == 200
    bearer = {"Authorization": f"Bearer {told['token']}"}
    async with http.get(f"{url}/config", headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403

    # The WebSocket and the stream of events, which are not held back.
    async with http.ws_connect(f"{url}/ws", headers=origin | big) as page_socket:
        assert (await page_socket.receive_json(timeout=5))["type"] == "welcome"
        async with http.get(f"{url}/events", headers=bearer) as stream:
            assert await asyncio.wait_for(stream.content.readline(), 5) == b"retry: 1000\n"
            await page_socket.send_json({"type": "register", "user": "1001", "token": told["token"]})
            async with asyncio.timeout(5):
                while (await page_socket.receive_json())["type"] != "registered":
                    pass


async def test_the_client_is_who_the_proxy_says_and_not_who_it_says_itself(behind: Behind) -> None:
    with capture_logs() as lines:
        await behind.sign_in("wrong")
        await behind.sign_in("wrong", **{"X-Forwarded-For": "198.51.100.7"})
        await behind.sign_in("wrong", Forwarded="for=198.51.100.7")
    assert [line["address"] for line in lines if line["event"] == "sign-in refused"] == [CLIENT] * 3


async def test_python_clients_call_by_it(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tone is heard elsewhere: media goes past the proxy."""
    monkeypatch.setattr("aiohttp.connector.DefaultResolver", ThisMachine)
    trusting = ssl._create_unverified_context()
    async with HttpClient(behind.proxy.url, tls=trusting) as http:
        token = (await http.sign_in("1001", "right")).token
        async with Client(behind.proxy.url, user="1001", token=token, tls=trusting) as phone:
            call = await phone.call("601", source=Silence())
            await call.received_audio.wait_for_tone(1004)
            await call.hangup()
            await call.wait_for("ended", timeout=5)
        assert (await http.get_call(call.id)).state == "ended"
