"""The OpenAPI document against a running server: every route is in it, and every answer is as it says."""

from pathlib import Path

import aiohttp
import pytest

from ari_bridge.accounts.users_file import UsersFile
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.fuzz import fuzz, let_nothing_wait
from tests.hang_up import hang_up_all

PASSWORD = "correct horse"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    UsersFile(settings.users_file).add("1001", PASSWORD)
    return settings.model_copy(update={"enable_authentication": True})


async def token_of(http: aiohttp.ClientSession) -> str:
    async with http.post("/session", json={"user": "1001", "password": PASSWORD}) as response:
        assert response.status == 200
        return str((await response.json())["token"])


@pytest.mark.timeout(500)
async def test_every_answer_is_as_the_document_says(
    app: App,
    http: aiohttp.ClientSession,
    pbx: FakeAri,
    rtpengine: FakeRtpengine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_nothing_wait(app, monkeypatch)
    found = await fuzz(app.url, await token_of(http), tmp_path, examples=5, seconds=450)
    assert not found, found
    await hang_up_all(app.calls)
    await until(lambda: not (pbx.channels or pbx.bridges or rtpengine.sessions))
