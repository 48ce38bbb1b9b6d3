"""The whole server in this process, beside a tiny Asterisk and a tiny rtpengine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from frontend.app import App
from frontend.settings import Settings, load
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.real.journals import remove_journal


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAri]:
    async with FakeAri() as pbx:
        yield pbx


@pytest.fixture
async def rtpengine() -> AsyncIterator[FakeRtpengine]:
    rtpengine = FakeRtpengine()
    await rtpengine.start()
    yield rtpengine
    await rtpengine.stop()


@pytest.fixture
def settings(pbx: FakeAri, rtpengine: FakeRtpengine, tmp_path: Path) -> Settings:
    return load(
        ari_url=pbx.url,
        ari_user=pbx.user,
        ari_password=pbx.password,
        rtpengine_ng=rtpengine.address,
        http_port=0,
        ws_port=0,
        cors_origin="https://phone.example.com",
        enable_authentication=False,
        users_file=tmp_path / "users",
        token_secret_file=tmp_path / "secret",
        disconnect_grace=0,
        state_dir=tmp_path / "state",
        phone_book="600=Echo",
        max_requests_per_second=10_000,
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    app = App(settings)
    await app.start()
    async with asyncio.timeout(10):
        while not app.ari.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    yield app
    await app.close()
    remove_journal(settings.state_dir)


@pytest.fixture
async def http(app: App) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(app.url) as http:
        yield http
