"""Schemathesis over the whole OpenAPI document, with a real Asterisk and a real rtpengine behind it.

Some of what it asks is real: the document's examples place calls, and act on them. Nothing of them may be left.
"""

from pathlib import Path

import aiohttp
import pytest

from ari_bridge.accounts.users_file import UsersFile
from tests.fuzz import fuzz, let_nothing_wait
from tests.hang_up import hang_up_all
from tests.real.live_system import LiveSystemWith

pytestmark = pytest.mark.real

USER, PASSWORD = "1001", "correct horse"


@pytest.mark.timeout(400)
async def test_no_answer_is_another_than_the_document_says(
    site_with: LiveSystemWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "users"
    UsersFile(users).add(USER, PASSWORD, "admin")
    signed_in = {
        "enable_authentication": True,
        "users_file": users,
        "token_secret_file": tmp_path / "secret",
        "max_requests_per_second": 10_000,
    }
    async with site_with(**signed_in) as site, aiohttp.ClientSession(site.app.url) as http:
        async with http.post("/session", json={"user": USER, "password": PASSWORD}) as response:
            token = (await response.json())["token"]
        let_nothing_wait(site.app, monkeypatch)
        found = await fuzz(site.app.url, token, tmp_path, examples=10, seconds=350)
        assert not found, found
        async with http.get("/stats", headers={"Authorization": f"Bearer {token}"}) as response:
            stats = await response.json()
        assert stats["started"]["outbound"] > 0, "no call was real"
        await hang_up_all(site.app.calls)
