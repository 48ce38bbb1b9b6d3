"""Recordings over HTTP: listed, played also from the middle, deleted; and by nobody who may not."""

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ari_bridge.recordings import Library, Recording
from ari_bridge.recordings.disk_store import DiskStore
from frontend.api.routes.recordings import RecordingsApi
from frontend.http import middleware
from frontend.http.cors import Origins
from tests.fakes.accounts import an_authenticator
from tests.fakes.recordings import a_sound

SOUND = a_sound(1.0)
ORIGIN = "https://phone.example.com"


async def keep(library: Library, folder: Path, number: int, user: str | None) -> Recording:
    (folder / "sound").write_bytes(SOUND)
    call_id, sha256 = f"call{number}", hashlib.sha256(SOUND).hexdigest()
    recording = Recording(
        f"{call_id}-rec1", call_id, user, "1001", "600", 1_790_000_000.0 + number, 1.0, len(SOUND), sha256
    )
    return await library.add(recording, folder / "sound")


Serve = Callable[[bool], "Any"]


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    library = Library(DiskStore(tmp_path / "kept"), tmp_path / "state", days=1e6)
    for number in range(1, 6):
        await keep(library, tmp_path, number, "1001" if number % 2 else "1002")
    await keep(library, tmp_path, 6, None)
    yield library
    await library.close()


@pytest.fixture(params=[False])
async def http(
    request: pytest.FixtureRequest, library: Library, tmp_path: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """The API alone, as the server has it. Parametrized (`indirect`) with True it wants signing in."""
    access = an_authenticator(tmp_path / "accounts", {"1001": "secret"}, required=request.param, lifetime=60)
    checked = middleware.origins_checked(Origins((ORIGIN,)))
    app = web.Application(middlewares=[checked, middleware.problem_responses])
    app.add_routes(RecordingsApi(library, access).routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    headers = {}
    if request.param:
        headers = {"Authorization": f"Bearer {(await access.sign_in('1001', 'secret', '')).token}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}", headers=headers) as session:
        yield session
    await runner.cleanup()
    await access.accounts.close()


async def get(http: aiohttp.ClientSession, path: str, **query: str) -> tuple[int, Any]:
    async with http.get(path, params=query) as response:
        return response.status, await response.json()


async def names(http: aiohttp.ClientSession, **query: str) -> list[str]:
    status, data = await get(http, "/recordings", **query)
    assert status == 200, data
    return [recording["callId"] for recording in data["recordings"]]


async def test_the_newest_come_first(http: aiohttp.ClientSession) -> None:
    assert await names(http) == ["call6", "call5", "call4", "call3", "call2", "call1"]
    assert await names(http, callId="call3") == ["call3"]
    assert await names(http, since="1790000005") == ["call6", "call5"]
    assert await names(http, since="1790000002.0", until="1790000004") == ["call3", "call2"]
    assert await names(http, until="2026-09-21T14:13:22Z") == ["call1"]
    status, data = await get(http, "/recordings/call1-rec1")
    assert status == 200
    assert data == {
        "name": "call1-rec1",
        "callId": "call1",
        "user": "1001",
        "caller": "1001",
        "target": "600",
        "startedAt": 1790000001.0,
        "seconds": 1.0,
        "size": len(SOUND),
        "sha256": hashlib.sha256(SOUND).hexdigest(),
    }


async def test_page_by_page(http: aiohttp.ClientSession) -> None:
    seen: list[str] = []
    query = {"limit": "4"}
    while True:
        _, data = await get(http, "/recordings", **query)
        seen += [recording["callId"] for recording in data["recordings"]]
        if data["nextCursor"] is None:
            break
        query["cursor"] = data["nextCursor"]
    assert seen == ["call6", "call5", "call4", "call3", "call2", "call1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "ten"),
        ("limit", "٣"),
        ("limit", "-1"),
        ("since", "yesterday"),
        ("since", "nan"),
        ("until", "2026-01-01T00:00:00"),
        ("until", ""),
        ("cursor", "x"),
        ("cursor", "é"),
        ("cursor", "W10"),
        ("cursor", "A" * 5000),
    ],
)
async def test_a_wrong_filter_is_named(http: aiohttp.ClientSession, name: str, value: str) -> None:
    status, data = await get(http, "/recordings", **{name: value})
    assert status == 400 and data["code"] == "invalid_request" and data["field"] == name


async def test_the_sound(http: aiohttp.ClientSession) -> None:
    async with http.get("/recordings/call1-rec1/audio") as response:
        assert response.status == 200 and await response.read() == SOUND
        assert response.headers["Content-Type"] == "audio/wav"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["Content-Disposition"] == 'inline; filename="call1-rec1.wav"'
        tag = response.headers["ETag"]
    async with http.get("/recordings/call1-rec1/audio?download") as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="call1-rec1.wav"'
    async with http.head("/recordings/call1-rec1/audio") as response:
        assert response.status == 200 and response.headers["Content-Length"] == str(len(SOUND))
    async with http.get("/recordings/call1-rec1/audio", headers={"If-None-Match": tag}) as response:
        assert response.status == 304 and await response.read() == b""
    async with http.get("/recordings/call1-rec1/audio", headers={"Origin": ORIGIN}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, len(SOUND)),
        ("bytes=-100", len(SOUND) - 100, len(SOUND)),
        ("bytes=100-99999999", 100, len(SOUND)),
        ("bytes=1-1", 1, 2),
    ],
)
async def test_a_part_of_the_sound(http: aiohttp.ClientSession, wanted: str, start: int, end: int) -> None:
    async with http.get("/recordings/call1-rec1/audio", headers={"Range": wanted}) as response:
        assert response.status == 206 and await response.read() == SOUND[start:end]
        assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(SOUND)}"


@pytest.mark.parametrize(
    "wanted", ["bytes=0-", "bytes=-99999999", "bytes=0-1,5-6", "bytes=x", "seconds=1-2", "bytes=9-1"]
)
async def test_what_is_no_single_part_gets_the_whole(http: aiohttp.ClientSession, wanted: str) -> None:
    async with http.get("/recordings/call1-rec1/audio", headers={"Range": wanted}) as response:
        assert response.status == 200 and await response.read() == SOUND
    async with http.get(
        "/recordings/call1-rec1/audio", headers={"Range": "bytes=0-1", "If-Range": '"of another time"'}
    ) as response:
        assert response.status == 200


async def test_a_part_behind_the_end_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.get("/recordings/call1-rec1/audio", headers={"Range": f"bytes={len(SOUND)}-"}) as response:
        assert response.status == 416 and response.headers["Content-Range"] == f"bytes */{len(SOUND)}"


async def test_one_that_is_deleted_is_gone(http: aiohttp.ClientSession, library: Library) -> None:
    async with http.delete("/recordings/call1-rec1") as response:
        assert response.status == 204
    async with http.delete("/recordings/call1-rec1") as response:
        assert response.status == 404
    assert "call1" not in await names(http)
    assert "call1-rec1.wav" not in await library.store.names()


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fetc%2Fpasswd", "call1-rec1.wav", "%00", "x" * 3000])
async def test_one_that_is_not_there(http: aiohttp.ClientSession, name: str) -> None:
    from yarl import URL

    for path in (f"/recordings/{name}", f"/recordings/{name}/audio"):
        async with http.get(URL(path, encoded=True)) as response:
            assert response.status == 404
            assert (await response.json())["code"] == "unknown_recording"


@pytest.mark.parametrize("http", [True], indirect=True)
async def test_a_user_has_those_of_own_calls_only(http: aiohttp.ClientSession, library: Library) -> None:
    assert await names(http) == ["call5", "call3", "call1"]
    assert await names(http, callId="call2") == []
    for path in ("/recordings/call2-rec1", "/recordings/call2-rec1/audio", "/recordings/call6-rec1"):
        async with http.get(path) as response:
            told = await response.json()
        async with http.get(path.replace("call2", "call9").replace("call6", "call9")) as missing:
            assert (await missing.json())["code"] == told["code"] == "unknown_recording"
            assert response.status == missing.status == 404
    async with http.delete("/recordings/call2-rec1") as response:
        assert response.status == 404
    assert library.get("call2-rec1")
    async with http.get("/recordings/call1-rec1/audio") as response:
        assert response.status == 200 and await response.read() == SOUND


@pytest.mark.parametrize("http", [True], indirect=True)
@pytest.mark.parametrize("path", ["/recordings", "/recordings/call1-rec1", "/recordings/call1-rec1/audio"])
async def test_without_a_token_nothing_is_told(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path, headers={"Authorization": ""}) as response:
        assert response.status == 401


async def test_a_store_that_lost_the_sound_is_no_fault_of_the_asker(
    http: aiohttp.ClientSession, library: Library
) -> None:
    await library.store.delete("call1-rec1.wav")
    async with http.get("/recordings/call1-rec1/audio") as response:
        assert response.status == 503 and response.headers["Retry-After"]
        assert (await response.json())["code"] == "unavailable"
    await library.store.put("call1-rec1.wav", SOUND[:1000])
    with pytest.raises(aiohttp.ClientPayloadError):
        async with http.get("/recordings/call1-rec1/audio") as response:
            await response.read()
