"""The token servers of docs/USERS.md, run as written: the page of a customer calls with their token, and is heard."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from ari_bridge_client import Client, HttpClient, Problem, Refused
from deploy.demo.install import PROJECT, node_environment
from tests.real import free_ports
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = pytest.mark.real
GUIDE = PROJECT / "docs" / "USERS.md"
SIGN_IN = {"enable_authentication": True}


def program(language: str) -> str:
    [code] = re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert "8000" in code and len(code.splitlines()) < 20
    return str(code)


@asynccontextmanager
async def token_server(folder: Path, language: str, url: str, key: str) -> AsyncIterator[str]:
    """The address of its tokens."""
    [port] = free_ports.ports(1)
    file = folder / {"python": "server.py", "js": "server.mjs"}[language]
    await asyncio.to_thread(file.write_text, program(language).replace("8000", str(port)))
    environment = {**os.environ, **node_environment(), "ARI_BRIDGE_URL": url, "ARI_BRIDGE_KEY": key}
    command = sys.executable if language == "python" else "node"
    process = await asyncio.create_subprocess_exec(command, str(file), env=environment, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
        writer.close()
        yield f"http://127.0.0.1:{port}/phone-token"
    finally:
        process.kill()
        await process.communicate()


async def key_of(site: LiveSystem, *scopes: str) -> str:
    key, secret = await site.app.accounts.api_keys.create("shop", scopes)
    return f"{key.id}_{secret}"


def settings(folder: Path) -> dict[str, object]:
    return {**SIGN_IN, "users_file": folder / "users", "token_secret_file": folder / "secret"}


@pytest.mark.parametrize("language", ["python", "js"])
async def test_a_token_of_a_ten_line_server_calls(site_with: LiveSystemWith, tmp_path: Path, language: str) -> None:
    async with site_with(**settings(tmp_path)) as site:
        key = await key_of(site, "tokens:create", "dial")
        async with token_server(tmp_path, language, site.app.url, key) as address, aiohttp.ClientSession() as http:
            async with http.get(address) as response:
                assert response.status == 200
                token = await response.text()
            async with Client(site.app.ws_url, user="customer-7", token=token) as client:
                call = await client.call("601")
                await call.received_audio.wait_for_tone(1004)
                assert [one.user for one in site.app.calls.live()] == ["customer-7"]
                with pytest.raises(Refused, match="record"):
                    await call.record("start")
                await call.hangup()
            await site.app.accounts.api_keys.revoke(key.rpartition("_")[0])
            async with http.get(address) as response:
                assert response.status >= 500


async def test_a_program_calls_by_its_key_until_that_is_revoked(site_with: LiveSystemWith, tmp_path: Path) -> None:
    async with site_with(**settings(tmp_path)) as site:
        key = await key_of(site, "tokens:create", "dial", "receive")
        key_id = key.rpartition("_")[0]
        async with Client(site.app.ws_url, user=key_id, token=key, reconnects=False) as client:
            call = await client.call("601")
            await call.received_audio.wait_for_tone(1004)
            made = await client.http.create_token("customer-8", grants=["dial"], numbers=["600"], lifetime=60)
            assert made.user == "customer-8" and made.grants == ["dial"]
            async with HttpClient(site.app.url, token=made.token) as customer:
                assert [one async for one in customer.list_calls()] == []
                await site.app.accounts.api_keys.revoke(key_id)
                with pytest.raises(Problem, match="get another one"):
                    await customer.get_preferences()
            await client.wait_until(lambda: not client.connected, "the end of the key", 5)
