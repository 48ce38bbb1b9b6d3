"""A fake HTTP API with its client, and the whole server beside a tiny Asterisk and a tiny rtpengine."""

from collections.abc import AsyncIterator

import pytest

from ari_bridge_client import HttpClient, RetryPolicy
from frontend.settings import Settings
from tests.component.frontend.conftest import app as app
from tests.component.frontend.conftest import pbx as pbx
from tests.component.frontend.conftest import rtpengine as rtpengine
from tests.component.frontend.conftest import settings as base_settings  # noqa: F401
from tests.fakes.http_api import FakeHttpApi


@pytest.fixture
async def api() -> AsyncIterator[FakeHttpApi]:
    async with FakeHttpApi() as api:
        yield api


@pytest.fixture
async def http(api: FakeHttpApi) -> AsyncIterator[HttpClient]:
    async with HttpClient(api.url, retry_policy=RetryPolicy(attempt_timeout=1.0, total_timeout=4.0)) as http:
        yield http


@pytest.fixture
def settings(base_settings: Settings) -> Settings:  # noqa: F811
    """Calls outlive a lost connection."""
    return base_settings.model_copy(update={"disconnect_grace": 10.0})
