"""A whole server beside a tiny Asterisk and a tiny rtpengine, and raw requests to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frontend.app import App
from frontend.settings import load
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.real.journals import remove_journal


@dataclass(frozen=True)
class Answer:
    """The response to a raw request."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Server:
    app: App
    pbx: FakeAri

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.app.url.partition("://")[2].rpartition(":")
        return host, int(port)

    async def send(self, request: str, source: str = "127.0.0.1") -> Answer:
        """The response to a request of these lines. `source`: the client's address."""
        reader, writer = await asyncio.open_connection(*self.address, local_addr=(source, 0))
        try:
            writer.write(request.encode().replace(b"\n", b"\r\n") + b"\r\n\r\n")
            async with asyncio.timeout(10):
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                parts = (line.partition(":") for line in lines[1:])
                headers = {name.lower(): value.strip() for name, _, value in parts}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
        finally:
            writer.close()
        return Answer(int(lines[0].split()[1]), headers, body)


@asynccontextmanager
async def serving(folder: Path, **changes: Any) -> AsyncIterator[Server]:
    """A server without sign-in, with `changes` to its settings."""
    rtpengine = FakeRtpengine()
    await rtpengine.start()
    try:
        async with FakeAri() as pbx:
            values = {
                "ari_url": pbx.url,
                "ari_user": pbx.user,
                "ari_password": pbx.password,
                "rtpengine_ng": rtpengine.address,
                "http_port": 0,
                "ws_port": 0,
                "enable_authentication": False,
                "users_file": folder / "users",
                "token_secret_file": folder / "secret",
                "state_dir": folder / "state",
            }
            settings = load(**(values | changes))
            app = App(settings)
            await app.start()
            try:
                async with asyncio.timeout(10):
                    while not app.ari.connected:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                yield Server(app, pbx)
            finally:
                await app.close()
                remove_journal(settings.state_dir)
    finally:
        await rtpengine.stop()
