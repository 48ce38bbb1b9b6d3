"""The server is killed after a refresh was committed and before its response: the same refresh, repeated, goes on."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp

from ari_bridge.accounts.users_file import UsersFile
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.real import free_ports

PLUGIN = '''
"""Kills the server at its first refresh, once that is on the disk."""
import os, signal
from ari_bridge.accounts.sign_in_sessions import SignInSessions

def setup(hooks):
    refresh = SignInSessions.refresh
    async def refresh_and_die(self, *args, **options):
        await refresh(self, *args, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    SignInSessions.refresh = refresh_and_die
'''


async def start(folder: Path, environment: dict[str, str]) -> asyncio.subprocess.Process:
    """The real program, serving."""
    log = folder / "log"
    program = [str(Path(sys.executable).with_name("ari-bridge")), "serve"]
    with log.open("wb") as output:
        server = await asyncio.create_subprocess_exec(*program, cwd=folder, env=environment, stderr=output)
    try:
        async with asyncio.timeout(60):
            while "serving" not in log.read_text():  # noqa: ASYNC110, ASYNC240  a file tells nobody
                assert server.returncode is None, log.read_text()  # noqa: ASYNC240
                await asyncio.sleep(0.05)
    except BaseException:
        if server.returncode is None:
            server.kill()
        await server.wait()
        raise
    return server


async def test_a_kill_between_the_commit_and_the_response_signs_nobody_out(
    pbx: FakeAri, rtpengine: FakeRtpengine, tmp_path: Path
) -> None:
    UsersFile(tmp_path / "users").add("1001", "right")
    (tmp_path / "killing_plugin.py").write_text(PLUGIN)
    [port] = free_ports.ports(1)
    environment = os.environ | {
        "ARI_URL": pbx.url,
        "ARI_USER": pbx.user,
        "ARI_PASSWORD": pbx.password,
        "RTPENGINE_NG": rtpengine.address,
        "HTTP_PORT": str(port),
        "WS_PORT": "0",
        "PYTHONPATH": str(tmp_path),
    }

    async def refresh(http: aiohttp.ClientSession, token: str) -> dict[str, Any]:
        headers = {"Idempotency-Key": "the same attempt"}
        async with http.post("/session/refresh", json={"refreshToken": token}, headers=headers) as response:
            assert response.status == 200, await response.text()
            session: dict[str, Any] = await response.json()
            return session

    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        server = await start(tmp_path, environment | {"PLUGINS": "killing_plugin"})
        async with http.post("/session", json={"user": "1001", "password": "right"}) as response:
            first = await response.json()
        try:
            await refresh(http, first["refreshToken"])
        except aiohttp.ClientError:
            pass
        async with asyncio.timeout(10):
            assert await server.wait() == -9
        server = await start(tmp_path, environment)
        try:
            second = await refresh(http, first["refreshToken"])
            third = await refresh(http, second["refreshToken"])
            async with http.get("/calls", headers={"Authorization": f"Bearer {third['token']}"}) as response:
                assert response.status == 200
        finally:
            server.terminate()
            await server.wait()
