"""Requests that were begun with a right and are completed after it has ended: a slow body, a long wait."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from frontend.api.routes import cdrs
from frontend.app import App
from tests.component.conftest import until
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import SignIn

HELD_BACK = 5  # bytes of a body that come after the right has ended


@asynccontextmanager
async def begun(
    app: App, method: str, path: str, headers: dict[str, str], body: dict[str, Any]
) -> AsyncIterator[Callable[[], Any]]:
    """A request all of which is sent but the last bytes; then what sends them and gives status and body."""
    host, _, port = app.url.partition("://")[2].rstrip("/").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    raw = json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {len(raw)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw[:-HELD_BACK])

    async def complete() -> tuple[int, str]:
        writer.write(raw[-HELD_BACK:])
        async with asyncio.timeout(10):
            head, _, content = (await reader.read()).decode().partition("\r\n\r\n")
        return int(head.split()[1]), content

    try:
        await writer.drain()
        yield complete
    finally:
        writer.close()


@pytest.mark.parametrize("how", ["locked", "removed", "another password", "signed out everywhere"])
async def test_a_body_that_is_completed_too_late_places_no_call(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, sign_in: SignIn, how: str
) -> None:
    pbx.far_side = Answers()
    headers = await sign_in("1001")
    async with begun(app, "POST", "/invite", headers, {"target": "600", "sdp": OFFER}) as complete:
        async with http.get("/me", headers=headers) as response:  # the server has read the other request by now
            assert response.status == 200
        if how == "locked":
            await app.accounts.set_locked("1001", True)
        elif how == "removed":
            await app.accounts.remove("1001")
        elif how == "another password":
            await app.accounts.set_password("1001", "x")
        else:
            await app.accounts.end_sessions("1001")
        status, content = await complete()
    assert (status, json.loads(content)["code"]) == (401, "unauthorized")
    assert not app.calls.live()


async def test_an_admin_of_before_makes_nobody(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    headers = await sign_in("9001")
    await app.accounts.set_roles("2001", ["admin"])
    async with begun(app, "POST", "/users", headers, {"name": "back-door", "roles": ["admin"]}) as complete:
        async with http.get("/me", headers=headers) as response:
            assert response.status == 200
        await app.accounts.set_roles("9001", ["user"])
        status, content = await complete()
    assert (status, json.loads(content)["code"]) == (403, "forbidden")
    assert app.accounts.find("back-door") is None


async def test_who_waits_for_a_call_is_told_nothing_more(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    headers = await sign_in("1001")
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=headers) as response:
        call_id = (await response.json())["callId"]
    await until(lambda: app.calls.get(call_id).answered_at is not None)
    waiting = asyncio.create_task(_status(http, f"/call/{call_id}?wait=30", headers))
    await until(lambda: app.watchers.waiting == 1)
    await app.accounts.end_sessions("1001")
    assert await waiting == 401


async def test_an_export_ends_with_the_sign_in(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Endless, and read slowly: what comes after the lock is cut off, so that it does not look complete."""
    headers, locked = await sign_in("2001"), asyncio.Event()

    async def lines(*_: object) -> AsyncIterator[str]:
        yield "callId\n"
        await locked.wait()
        while True:
            yield "of-somebody-else\n"

    monkeypatch.setattr(cdrs.CdrApi, "_lines", lines)
    async with http.get("/cdrs.csv", headers=headers) as response:
        assert await response.content.readline() == b"callId\n"
        await app.accounts.set_locked("2001", True)
        locked.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            assert b"of-somebody-else" not in await response.read()


async def _status(http: aiohttp.ClientSession, path: str, headers: dict[str, str]) -> int:
    async with http.get(path, headers=headers) as response:
        return response.status
