"""Who did what is in the audit log: once, with the actor and the address, and without secrets."""

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import passwords
from ari_bridge.fsm.call import CallState
from frontend.api.routes import audit as audit_routes
from frontend.api.routes import event_stream
from frontend.app import App
from tests.component.frontend.test_recordings_api import keep
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import PASSWORD, USERS, Page, SignIn
from tests.security.test_access import token_of
from tests.security.test_api_keys import basic, made
from tests.security.test_client_tokens import token, with_token

OpenPage = Callable[[], Awaitable[Page]]
Read = Callable[..., Awaitable[list[dict[str, Any]]]]
HERE = "127.0.0.1"


@pytest.fixture
def read(http: aiohttp.ClientSession, sign_in: SignIn) -> Read:
    """What the auditor finds, oldest first, without the auditor's own sign-ins."""
    headers: dict[str, str] = {}

    async def read(**query: str) -> list[dict[str, Any]]:
        headers.update(headers or await sign_in("2003"))
        async with http.get("/audit", params={"limit": "500", **query}, headers=headers) as response:
            assert response.status == 200, await response.text()
            found = (await response.json())["entries"]
        return [entry for entry in reversed(found) if entry["actor"] != "2003"]

    return read


def told(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry["action"], entry["actor"], entry["address"], entry["object"], entry["result"]


async def test_sign_ins(http: aiohttp.ClientSession, sign_in: SignIn, read: Read) -> None:
    headers = await sign_in("1001")
    for user, password in (("1001", "wrong password"), ("my secret phrase", "x"), ("nobody", PASSWORD)):
        async with http.post("/session", json={"user": user, "password": password}) as response:
            assert response.status == 401
    async with http.delete("/sessions", headers=headers) as response:
        assert response.status == 204
    entries = [entry for entry in await read() if entry["action"].startswith("session.")]
    assert list(map(told, entries)) == [
        ("session.create", "1001", HERE, "1001", "ok"),
        ("session.refuse", "1001", HERE, "1001", "refused"),
        ("session.refuse", "", HERE, "", "refused"),
        ("session.refuse", "", HERE, "", "refused"),
        ("session.end_all", "1001", HERE, "1001", "ok"),
    ]
    assert all(entry["requestId"] for entry in entries) and entries[0]["actorId"].startswith("usr_")


async def test_users_are_changed_by_somebody(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, read: Read
) -> None:
    admin = {**await sign_in("9001"), "If-Match": "*"}
    user = app.accounts.find("1001")
    assert user
    async with http.put(f"/users/{user.id}/lock", json={"locked": True}, headers=admin) as response:
        assert response.status == 200
    async with http.put(f"/users/{user.id}", json={"roles": ["agent"]}, headers=admin) as response:
        assert response.status == 200
    [locked] = await read(action="user.lock")
    assert told(locked) == ("user.lock", "9001", HERE, "1001", "ok")
    [roles] = await read(action="user.roles")
    assert roles["details"] == {"id": user.id, "old": ["user"], "new": ["agent"]}


async def test_each_decision_about_a_number(
    pbx: FakeAri, page: OpenPage, http: aiohttp.ClientSession, sign_in: SignIn, read: Read
) -> None:
    pbx.far_side = Answers()
    headers = await sign_in("1001")
    socket = await page()
    await socket.ask("registered", type="register", user="1001", token=token_of(headers))
    answer = await socket.ask("answer", type="offer", target="600", sdp=OFFER)
    await socket.ask("answer", type="offer", target="+8821612345678", sdp=OFFER)
    await socket.ask("party", type="add-party", callId=answer["callId"], target="009001234567")
    async with http.post("/invite", json={"target": "*72", "sdp": OFFER}, headers=headers) as response:
        assert response.status == 403
    found = [entry for entry in await read() if entry["action"].startswith("dial.")]
    assert [(told(entry), entry["details"]["kind"]) for entry in found] == [
        (("dial.allow", "1001", HERE, "600", "ok"), "call"),
        (("dial.deny", "1001", HERE, "+8821612345678", "refused"), "call"),
        (("dial.deny", "1001", HERE, "009001234567", "refused"), "party"),
        (("dial.deny", "1001", HERE, "*72", "refused"), "call"),
    ]
    assert all(entry["details"]["rule"] and entry["details"]["user"] == "1001" for entry in found)


async def test_a_changed_forward_has_its_old_and_new_number(
    http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn, read: Read
) -> None:
    headers = await sign_in("1001")
    async with http.put("/me/preferences", json={"forwardAlways": "1002"}, headers=headers) as response:
        assert response.status == 200
    async with http.put("/me/preferences", json={"forwardAlways": "+8821612345678"}, headers=headers) as response:
        assert response.status == 403
    socket = await page()
    await socket.ask("registered", type="register", user="1001", token=token_of(headers))
    await socket.told("preferences")
    await socket.ask("preferences", type="preferences", forwardBusy="voicemail", doNotDisturb=True)
    changed = [*await read(action="forward.change"), *await read(action="preferences.change")]
    assert {told(entry)[1:] for entry in changed} == {("1001", HERE, "1001", "ok")}
    assert [entry["details"] for entry in changed] == [
        {"field": "forwardAlways", "old": "", "new": "1002"},
        {"field": "forwardAlways", "old": "1002", "new": ""},
        {"field": "forwardBusy", "old": "", "new": "voicemail"},
        {"field": "doNotDisturb", "old": False, "new": True},
    ]
    [allowed] = await read(action="dial.allow")
    [denied] = await read(action="dial.deny")
    assert allowed["details"]["kind"] == denied["details"]["kind"] == "forward"


async def test_who_has_heard_a_recording(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, read: Read, tmp_path: Path
) -> None:
    await keep(app.recordings, tmp_path, 1, "1001")
    owner, supervisor, admin = await sign_in("1001"), await sign_in("2001"), await sign_in("9001")
    path = "/recordings/call1-rec1"
    for headers in (owner, supervisor):
        async with http.head(f"{path}/audio", headers=headers) as response:
            assert response.status == 200
        for part in ("bytes=100-199", "bytes=0-99", "bytes=200-"):
            async with http.get(f"{path}/audio", headers={**headers, "Range": part}) as response:
                assert response.status == 206
    async with http.get(f"{path}/audio?download", headers=supervisor) as response:
        assert response.status == 200
    async with http.delete(path, headers=supervisor) as response:
        assert response.status == 404
    async with http.delete(path, headers=admin) as response:
        assert response.status == 204
    found = [entry for entry in await read(object="call1-rec1")]
    assert [told(entry)[:3] for entry in found] == [
        ("recording.play", "1001", HERE),
        ("recording.play", "2001", HERE),
        ("recording.download", "2001", HERE),
        ("recording.delete", "9001", HERE),
    ]
    assert {entry["details"]["user"] for entry in found} == {"1001"}


async def test_who_reads_call_records_of_others(http: aiohttp.ClientSession, sign_in: SignIn, read: Read) -> None:
    supervisor, user = await sign_in("2001"), await sign_in("1001")
    async with http.get("/cdrs", headers=user) as response:
        assert response.status == 200
    async with http.get("/cdrs", params={"user": "1001"}, headers=supervisor) as response:
        assert response.status == 200
    async with http.get("/cdrs.csv", params={"user": "1001"}, headers=supervisor) as response:
        assert response.status == 200
    assert [told(entry) for entry in await read() if entry["action"].startswith("cdr.")] == [
        ("cdr.read", "2001", HERE, "1001", "ok"),
        ("cdr.export", "2001", HERE, "csv", "ok"),
    ]


async def test_whoever_watches_others(
    http: aiohttp.ClientSession, sign_in: SignIn, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_INTERVAL_S", 0.05)
    operator, user = await sign_in("2002"), await sign_in("1001")
    for path in ("/live", "/live", "/stats"):
        async with http.get(path, headers=operator) as response:
            assert response.status == 200
        async with http.get(path, headers=user) as response:
            assert response.status == 403
    for headers in (operator, user):
        async with http.get("/events", headers=headers) as stream:
            await stream.content.readline()
    async with asyncio.timeout(10):
        while not (ended := await read(action="monitor.end")):
            pass
    assert [told(entry) for entry in [*await read(action="monitor.start"), *ended]] == [
        ("monitor.start", "2002", HERE, "live", "ok"),
        ("monitor.start", "2002", HERE, "stats", "ok"),
        ("monitor.start", "2002", HERE, "events", "ok"),
        ("monitor.end", "2002", HERE, "events", "ok"),
    ]
    denied = await read(action="access.deny")
    assert [entry["details"]["grant"] for entry in denied] == ["monitor:read"] * 3


async def test_a_recording_is_started_by_somebody(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn, read: Read
) -> None:
    pbx.far_side = Answers()
    headers = await sign_in("1001")
    socket = await page()
    await socket.ask("registered", type="register", user="1001", token=token_of(headers))
    call_id = (await socket.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    async with asyncio.timeout(10):
        while app.calls.get(call_id).state is not CallState.UP:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for action in ("start", "stop"):
        async with http.post(f"/call/{call_id}/record", json={"action": action}, headers=headers) as response:
            assert response.status == 202
    found = [told(entry) for entry in await read(object=call_id)]
    assert found == [
        ("recording.start", "1001", HERE, call_id, "ok"),
        ("recording.stop", "1001", HERE, call_id, "ok"),
    ]


async def test_another_users_call_is_commanded(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn, read: Read
) -> None:
    pbx.far_side = Answers()
    socket = await page()
    await socket.ask("registered", type="register", user="1001", token=token_of(await sign_in("1001")))
    answer = await socket.ask("answer", type="offer", target="600", sdp=OFFER)
    async with http.delete(f"/call/{answer['callId']}", headers=await sign_in("2002")) as response:
        assert response.status == 204
    [commanded] = await read(action="call.control")
    assert told(commanded) == ("call.control", "2002", HERE, answer["callId"], "ok")
    assert commanded["details"] == {"command": "hangup", "user": "1001"}


@pytest.mark.parametrize("path", [endpoint.path for endpoint in audit_routes.ENDPOINTS])
@pytest.mark.parametrize("user", USERS)
async def test_auditors_and_admins_alone_read_it(
    http: aiohttp.ClientSession, sign_in: SignIn, user: str, path: str
) -> None:
    async with http.get(path, headers=await sign_in(user)) as response:
        assert response.status == (200 if USERS[user] in ("auditor", "admin") else 403)
    async with http.get(path) as response:
        assert response.status == 401


async def test_exports_are_whole_and_told(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    headers = await sign_in("2003")
    for _ in range(3):
        await sign_in("1001")
    async with http.get("/audit.ndjson", headers=headers) as response:
        lines = [json.loads(line) for line in (await response.text()).splitlines()]
    async with http.get("/audit.csv", params={"action": "session.create"}, headers=headers) as response:
        rows = list(csv.DictReader((await response.text()).splitlines()))
    assert [line["number"] for line in lines] == list(range(len(lines), 0, -1))
    assert lines[0]["action"] == "audit.export" and lines[0]["actor"] == "2003"
    assert [row["actor"] for row in rows] == ["1001", "1001", "1001", "2003"]
    chain, breaks = await app.audit.verify()
    assert breaks == [] and chain.entries == len(lines) + 1


async def test_pages_of_it(http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    headers = await sign_in("2003")
    for _ in range(4):
        await sign_in("1001")
    numbers: list[int] = []
    query = {"limit": "2", "actor": "1001"}
    while True:
        async with http.get("/audit", params=query, headers=headers) as response:
            page = await response.json()
        numbers += [entry["number"] for entry in page["entries"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert len(numbers) == 4 and numbers == sorted(numbers, reverse=True)
    async with http.get("/audit", params={"cursor": "WzEsIngiXQ"}, headers=headers) as response:
        assert (response.status, (await response.json())["field"]) == (400, "cursor")


async def test_no_secret_is_in_it(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    headers = await sign_in("1001")
    wrong = "a wrong password, typed"
    async with http.post("/session", json={"user": wrong, "password": wrong}) as response:
        assert response.status == 401
    new = "five other words, quite long"
    body = {"oldPassword": PASSWORD, "newPassword": new}
    async with http.post("/me/password", json=body, headers=headers) as response:
        assert response.status == 200
        token = (await response.json())["token"]
    socket = await page()
    await socket.ask("registered", type="register", user="1001", token=token)
    answer = await socket.ask("answer", type="offer", target="600", sdp=OFFER)
    await socket.socket.send_json({"type": "dtmf", "callId": answer["callId"], "digits": "97531"})
    user = app.accounts.find("1001")
    assert user and passwords.verify(user.password_hash, new)
    async with http.get("/audit.ndjson", headers=await sign_in("2003")) as response:
        text = await response.text()
    assert '"user.password"' in text
    for secret in (PASSWORD, new, wrong, token, token_of(headers), user.password_hash, "97531", "v=0"):
        assert secret not in text


async def test_who_has_a_client_token_is_told_from_the_user_and_its_key_is_named(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession, page: OpenPage, read: Read
) -> None:
    pbx.far_side = Answers()
    key = await made(app, "tokens:create", "dial", "receive")
    given = await token(http, key, user="1001")
    socket = await page()
    await socket.ask("registered", type="register", user="1001", token=given["token"])
    await socket.ask("answer", type="offer", target="600", sdp=OFFER)
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=with_token(given)) as response:
        assert response.status == 201
    dialled = await read(action="dial.allow", actor=key[0])
    assert [(one["actorKind"], one["actorId"], one["actor"]) for one in dialled] == [("token", key[0], "1001")] * 2


@pytest.mark.parametrize("path", ["/calls", "/health", "/config"])
async def test_a_refused_key_is_told_once_a_request(
    app: App, http: aiohttp.ClientSession, read: Read, path: str
) -> None:
    key = await made(app, "calls:read")
    async with http.get(path, headers=basic((key[0], "wrong"))) as response:
        assert response.status == (401 if path == "/calls" else 200)
    [refused] = await read(action="key.refuse")
    assert told(refused) == ("key.refuse", key[0], HERE, key[0], "refused")
