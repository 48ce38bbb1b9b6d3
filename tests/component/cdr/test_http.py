"""The records over HTTP: who may see what, bad questions, and exports that break off."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ari_bridge.cdr import CdrPage, CdrService, CdrUnavailable, Query
from ari_bridge.fsm.call import Direction
from frontend.api.routes.cdrs import CdrApi
from frontend.auth.authenticator import Authenticator
from frontend.http.middleware import problem_responses
from tests.component.call_store.conftest import locked_by_another
from tests.component.cdr.conftest import NOW, Server, a_server, an_ended_call, spoil
from tests.component.cdr.eventually import recorded, unhealthy
from tests.fakes.accounts import an_authenticator

Client = TestClient[web.Request, web.Application]
PASSWORD = "correct horse"


def access(tmp_path: Path, *, required: bool) -> Authenticator:
    passwords = dict.fromkeys(("alice", "bob"), PASSWORD) if required else {}
    return an_authenticator(tmp_path / "accounts", passwords, required=required)


async def a_client(opened: AsyncExitStack, records: CdrService, access: Authenticator) -> Client:
    app = web.Application(middlewares=[problem_responses])
    app.add_routes(CdrApi(records, access).routes())
    return await opened.enter_async_context(TestClient(TestServer(app)))


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
async def filled(server: Server) -> Server:
    ids = []
    for number in range(30):
        inbound = number % 3 == 0
        call = an_ended_call(
            f"call{number:02}",
            created_at=NOW + number,
            direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
            user="bob" if inbound else "alice",
            caller="+49301234" if inbound else "1000",
            caller_name="=1+1" if inbound else "",
        )
        server.end(call)
        ids.append(call.id)
    await recorded(server, ids)
    return server


@pytest.fixture
async def http(filled: Server, opened: AsyncExitStack, tmp_path: Path) -> Client:
    return await a_client(opened, filled.records, access(tmp_path, required=False))


async def ids(response: aiohttp.ClientResponse) -> list[str]:
    body = await response.json()
    assert response.status == 200, body
    return [one["callId"] for one in body["cdrs"]]


async def test_pages(http: Client) -> None:
    seen: list[str] = []
    parameters: dict[str, Any] = {"limit": 7}
    while True:
        async with http.get("/cdrs", params=parameters) as response:
            seen += await ids(response)
            body = await response.json()
        if body["nextCursor"] is None:
            break
        parameters["cursor"] = body["nextCursor"]
    assert seen == [f"call{number:02}" for number in reversed(range(30))]


async def test_filters(http: Client) -> None:
    async with http.get("/cdrs", params={"direction": "inbound", "number": "+49", "match": "prefix"}) as response:
        assert len(await ids(response)) == 10
    async with http.get("/cdrs", params={"user": "alice", "since": NOW + 10, "until": NOW + 13}) as response:
        assert await ids(response) == ["call11", "call10"]
    async with http.get("/cdrs", params={"outcome": "busy"}) as response:
        assert await response.json() == {"cdrs": [], "nextCursor": None}


async def test_one_record(http: Client) -> None:
    async with http.get("/cdrs/call00") as response:
        body = await response.json()
    assert (body["callId"], body["callerName"], body["talkSeconds"]) == ("call00", "=1+1", 0.0)


@pytest.mark.parametrize("call_id", ["nothing", "x", "a" * 300, "%00", "call00%20", "..%2fcdrs"])
async def test_a_record_that_there_is_not(http: Client, call_id: str) -> None:
    async with http.get(f"/cdrs/{call_id}") as response:
        assert response.status == 404
        assert (await response.json())["code"] in ("unknown_call", "not_found")


@pytest.mark.parametrize("path", ["/cdrs", "/cdrs.csv"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=x", "since"),
        ("outcome=fine", "outcome"),
        ("number=", "number"),
        ("number=%00", "number"),
        ("colour=red", "colour"),
        ("user=a&user=b", "user"),
        ("minSeconds=-1", "minSeconds"),
        ("since=9&until=1", "since"),
    ],
)
async def test_a_bad_question_is_told_what_is_wrong(http: Client, path: str, query: str, field: str) -> None:
    async with http.get(f"{path}?{query}") as response:
        body = await response.json()
    assert (response.status, body["code"], body["field"]) == (400, "invalid_request", field)


async def test_pages_of_an_export_are_not_chosen(http: Client) -> None:
    async with http.get("/cdrs.csv?limit=5") as response:
        assert response.status == 400
    async with http.get("/cdrs?limit=501") as response:
        assert response.status == 400


async def test_an_export_has_every_row(http: Client, filled: Server) -> None:
    many = [f"many{number:04}" for number in range(1100)]
    for call_id in many:
        filled.end(an_ended_call(call_id))
    await recorded(filled, many)
    async with http.get("/cdrs.csv") as response:
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert "attachment" in response.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(await response.text(), newline="")))
    assert len({row["callId"] for row in rows}) == len(rows) == 1130
    evil = next(row for row in rows if row["callId"] == "call00")
    assert (evil["caller"], evil["callerName"]) == ("'+49301234", "'=1+1")


class Failing(CdrService):
    """The database is away from some page on."""

    pages_left = 1

    async def page(self, query: Query) -> CdrPage:
        if self.pages_left == 0:
            raise CdrUnavailable("it was unplugged")
        self.pages_left -= 1
        return await super().page(query)


async def test_an_export_that_breaks_off_does_not_look_whole(
    filled: Server, opened: AsyncExitStack, tmp_path: Path, state_dir: Path
) -> None:
    many = [f"many{number:04}" for number in range(600)]
    for call_id in many:
        filled.end(an_ended_call(call_id))
    await recorded(filled, many)
    failing = Failing(filled.store, filled.hooks, state_dir=state_dir)
    opened.push_async_callback(failing.close)
    http = await a_client(opened, failing, access(tmp_path, required=False))
    with pytest.raises(aiohttp.ClientError):
        async with http.get("/cdrs.csv") as response:
            assert response.status == 200
            await response.read()
    async with http.get("/cdrs.csv") as response:  # away from the first page on: told as every error
        assert response.status == 503
        body = await response.json()
    assert body["code"] == "unavailable" and "unplugged" in body["detail"]


async def test_everybody_sees_their_own_calls_only(filled: Server, opened: AsyncExitStack, tmp_path: Path) -> None:
    guard = access(tmp_path, required=True)
    opened.push_async_callback(guard.accounts.close)
    http = await a_client(opened, filled.records, guard)
    for path in ("/cdrs", "/cdrs.csv", "/cdrs/call00"):
        async with http.get(path) as response:
            assert response.status == 401
    token = (await guard.sign_in("bob", PASSWORD, "127.0.0.1")).token
    headers = {"Authorization": f"Bearer {token}"}
    async with http.get("/cdrs", headers=headers, params={"limit": 500}) as response:
        assert await ids(response) == [f"call{number:02}" for number in reversed(range(0, 30, 3))]
    async with http.get("/cdrs", headers=headers, params={"user": "bob", "limit": 1}) as response:
        assert await ids(response) == ["call27"]
    async with http.get("/cdrs", headers=headers, params={"user": "alice"}) as response:
        assert response.status == 400
    async with http.get("/cdrs.csv", headers=headers) as response:
        assert "alice" not in await response.text()
    async with http.get("/cdrs/call00", headers=headers) as response:
        assert response.status == 200
    async with http.get("/cdrs/call01", headers=headers) as response:
        foreign = await response.json()
    async with http.get("/cdrs/call99", headers=headers) as response:
        unknown = await response.json()
    assert foreign["detail"].replace("call01", "call99") == unknown["detail"]


async def test_a_database_that_is_away_is_told_and_when_to_ask_again(
    opened: AsyncExitStack, tmp_path: Path, state_dir: Path
) -> None:
    spoil(state_dir / "cdr.sqlite")
    server = await opened.enter_async_context(a_server(state_dir))
    http = await a_client(opened, server.records, access(tmp_path, required=False))
    await unhealthy(server)
    for path in ("/cdrs", "/cdrs.csv", "/cdrs/call00"):
        async with http.get(path) as response:
            body = await response.json()
        assert (response.status, body["code"], response.headers["Retry-After"]) == (503, "unavailable", "5")
        assert "not a database" in body["detail"]


async def test_it_is_read_while_another_program_writes(http: Client, state_dir: Path) -> None:
    with locked_by_another(state_dir / "cdr.sqlite"):
        async with http.get("/cdrs") as response:
            assert len(await ids(response)) == 30
