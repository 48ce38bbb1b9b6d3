"""What is asked wrongly over HTTP: a problem that names what is wrong, and never a failure of the server."""

import asyncio
import gzip
import io
import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

from ari_bridge.accounts import Accounts
from ari_bridge.accounts.users_file import UsersFile
from frontend.api.openapi.document import as_sent
from frontend.api.routes import ENDPOINTS
from frontend.app import App
from frontend.http.problems import PROBLEM_TYPES
from frontend.settings import Settings
from tests.offers import OFFER

PASSWORD = "correct horse"


async def told(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The problem, which is one of ours."""
    assert response.content_type == "application/problem+json", await response.text()
    problem: dict[str, Any] = await response.json()
    assert problem["status"] == response.status == PROBLEM_TYPES[problem["code"]].status
    assert (
        problem["type"] == f"/docs#problem-{problem['code']}"
        and problem["title"] == PROBLEM_TYPES[problem["code"]].title
    )
    assert problem["requestId"] == response.headers["X-Request-Id"]
    assert problem["detail"].endswith(".")
    assert (response.status in (429, 503)) is ("Retry-After" in response.headers)
    return problem


def invite(**values: Any) -> bytes:
    return json.dumps({"target": "600", "sdp": OFFER} | values).encode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"null", None),
        (b"[]", None),
        (b'"600"', None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (b'{"a":' * 100_000, None),
        (b"{}", "target"),
        (b'{"target": "600"}', "sdp"),
        (invite(target=600), "target"),
        (invite(target=None), "target"),
        (invite(target=["600"]), "target"),
        (invite(target=""), "target"),
        (invite(target="6\0"), "target"),
        (invite(target="\ud800"), "target"),
        (invite(sdp="v=0\0"), "sdp"),
        (invite(sdp="\udfff"), "sdp"),
        (invite(sdp={}), "sdp"),
        (invite(caller="\ud800\0"), "caller"),
        (invite(caller=1), "caller"),
        (invite(callId=""), "callId"),
        (invite(callId="x" * 129), "callId"),
        (invite(callId="a\0bcd"), "callId"),
        (invite(callId="a\u202eb"), "callId"),
        (invite(prefer="g729"), "prefer"),
    ],
)
async def test_a_wrong_body(http: aiohttp.ClientSession, body: bytes, field: str | None) -> None:
    async with http.post("/invite", data=body, headers={"Content-Type": "application/json"}) as response:
        problem = await told(response)
    assert (response.status, problem.get("field")) == (400, field), problem


async def test_bytes_that_are_no_utf_8(http: aiohttp.ClientSession) -> None:
    async with http.post("/invite", data=b'{"target": "\xff", "sdp": ""}') as response:
        assert (await told(response))["code"] == "invalid_request"


async def test_a_body_that_is_not_packed_as_it_says(http: aiohttp.ClientSession) -> None:
    async with http.post("/invite", data=b"no gzip", headers={"Content-Encoding": "gzip"}) as response:
        assert (await told(response))["code"] == "invalid_request"


async def test_a_small_body_that_unpacks_to_a_huge_one(http: aiohttp.ClientSession) -> None:
    packed = gzip.compress(b" " * 5_000_000)
    async with http.post("/invite", data=packed, headers={"Content-Encoding": "gzip"}) as response:
        assert (await told(response))["code"] == "too_large"


@pytest.mark.parametrize("path", ["/invite", "/session", "/call/x/dtmf", "/call/x/leave", "/me/preferences"])
async def test_a_huge_body(http: aiohttp.ClientSession, path: str) -> None:
    method = "PUT" if "preferences" in path else "POST"
    async with http.request(method, path, data=io.BytesIO(b"x" * 1_100_000)) as response:
        assert (await told(response))["code"] == "too_large"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("hold", {"held": "yes"}, "held"),
        ("hold", {"held": None}, "held"),
        ("hold", {"held": 1}, "held"),
        ("transfer", {"target": 700}, "target"),
        ("transfer", {"target": "7\0"}, "target"),
        ("transfer", {"toCallId": {}}, "toCallId"),
        ("parties", {"fromCallId": ["x"]}, "fromCallId"),
        ("record", {}, "action"),
        ("record", {"action": "rewind"}, "action"),
        ("dtmf", {}, "digits"),
        ("dtmf", {"digits": ""}, "digits"),
        ("dtmf", {"digits": "1\n"}, "digits"),
        ("dtmf", {"digits": "1" * 33}, "digits"),
        ("feedback", {"score": 0}, "score"),
        ("feedback", {"score": 4.5}, "score"),
        ("feedback", {"score": 5, "issue": "smell"}, "issue"),
        ("feedback", {"score": 5, "comment": "x" * 501}, "comment"),
        ("feedback", {"score": 5, "comment": "\0"}, "comment"),
    ],
)
async def test_a_wrong_verb(http: aiohttp.ClientSession, path: str, body: Any, field: str) -> None:
    async with http.post("/invite", json={"target": "600", "sdp": OFFER, "callId": "call"}) as response:
        assert response.status == 201
    async with http.post(f"/call/call/{path}", json=body) as response:
        problem = await told(response)
    assert (response.status, problem.get("field")) == (400, field), problem


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/config?x=1", "x"),
        ("/health?verbose", "verbose"),
        ("/call/call?wait=61", "wait"),
        ("/call/call?wait=-1", "wait"),
        ("/call/call?wait=1e1", "wait"),
        ("/call/call?wait=1&wait=2", "wait"),
        ("/calls?state=up", "state"),
        ("/calls?live=yes", "live"),
        ("/calls?limit=0", "limit"),
        ("/calls?number=%00", "number"),
        ("/calls?number=%ed%a0%80", "number"),
        ("/calls?cursor=x", "cursor"),
        ("/calls?since=2026-01-01", "since"),
        ("/cdrs?outcome=fine", "outcome"),
        ("/cdrs?minSeconds=nan", "minSeconds"),
        ("/recordings?limit=1000", "limit"),
        ("/events?lastEventId=x", "lastEventId"),
        ("/events?lastEventId=-1", "lastEventId"),
    ],
)
async def test_a_wrong_parameter(http: aiohttp.ClientSession, path: str, field: str) -> None:
    async with http.get(URL(path, encoded=True)) as response:
        problem = await told(response)
    assert (response.status, problem["field"]) == (400, field)


@pytest.mark.parametrize("path", ["/nothing", "/call", "/call/a/b/c", "/call/call/fly", "/assets/x", "/call/%7Bx"])
async def test_an_unknown_path(http: aiohttp.ClientSession, path: str) -> None:
    async with http.post(URL(path, encoded=True)) as response:
        assert (await told(response))["code"] in ("not_found", "method_not_allowed")


@pytest.mark.parametrize("path", sorted({endpoint.path for endpoint in ENDPOINTS}))
async def test_a_wrong_method(http: aiohttp.ClientSession, path: str) -> None:
    taken = {endpoint.method for endpoint in ENDPOINTS if endpoint.path == path}
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - taken:
        async with http.request(method, path.replace("{", "").replace("}", "")) as response:
            assert (await told(response))["code"] == "method_not_allowed"
            assert taken <= set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize("call_id", ["nothing", "x" * 3000, "%00", "%ff", "..%2f..%2fetc", "call-far", "%F0%9F%93%9E"])
async def test_a_call_id_that_is_none(http: aiohttp.ClientSession, call_id: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/hold"), ("DELETE", "/parties/1")):
        async with http.request(method, URL(f"/call/{call_id}{path}", encoded=True)) as response:
            assert (await told(response))["code"] == "unknown_call"


class TestSignedIn:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        for user in ("alice", "bob"):
            UsersFile(settings.users_file).add(user, PASSWORD)
        return settings.model_copy(update={"enable_authentication": True})

    async def headers(self, http: aiohttp.ClientSession, user: str) -> dict[str, str]:
        async with http.post("/session", json={"user": user, "password": PASSWORD}) as response:
            return {"Authorization": f"Bearer {(await response.json())['token']}"}

    async def test_a_foreign_call_is_unknown(self, http: aiohttp.ClientSession, app: App) -> None:
        alice, bob = await self.headers(http, "alice"), await self.headers(http, "bob")
        body = {"target": "600", "sdp": OFFER, "callId": "call"}
        async with http.post("/invite", json=body, headers=alice) as response:
            assert response.status == 201
        for endpoint in ENDPOINTS:
            if not endpoint.path.startswith("/call/{callId}"):
                continue
            path = endpoint.path.replace("{callId}", "call").replace("{party}", "1")
            example = endpoint.example_body and as_sent(endpoint.example_body)
            async with http.request(endpoint.method, path, json=example, headers=bob) as response:
                problem = await told(response)
            assert problem["code"] == "unknown_call", endpoint.name
            assert "alice" not in json.dumps(problem)
        async with http.delete("/call/call", headers=alice) as response:
            assert response.status == 204

    @pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c", "bearer  "])
    async def test_every_route_but_the_public_ones_wants_a_token(
        self, http: aiohttp.ClientSession, authorization: str
    ) -> None:
        for endpoint in ENDPOINTS:
            path = endpoint.path.replace("{", "").replace("}", "")
            if endpoint.public:
                continue
            headers = {"Authorization": authorization}
            async with http.request(endpoint.method, path, headers=headers) as response:
                assert (await told(response))["code"] == "unauthorized", endpoint.name
                assert response.headers["WWW-Authenticate"] == "Bearer"


class TestQuickLooks:
    """At passwords, so that it is the pace which makes tries wait, and not the machine."""

    @pytest.fixture
    def settings(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
        monkeypatch.setattr(Accounts, "verify", lambda *_: False)
        return settings.model_copy(update={"enable_authentication": True})

    async def test_too_many_tries_are_told_when_to_come_again(self, http: aiohttp.ClientSession) -> None:
        """Sent together: one after the other, each is looked at in its turn."""

        async def try_one() -> dict[str, Any]:
            async with http.post("/session", json={"user": "alice", "password": "x"}) as response:
                return await told(response)

        tries = [asyncio.create_task(try_one()) for _ in range(30)]
        try:
            for answer in asyncio.as_completed(tries):
                if (problem := await answer)["code"] != "unauthorized":
                    break
        finally:
            for one in tries:  # some wait for their turn, by seconds
                one.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
        assert problem["code"] == "too_many" and problem["retryAfter"] > 1
        assert problem["detail"].startswith("Too many failed sign-ins")


async def test_every_route_is_an_operation_and_every_operation_a_route(http: aiohttp.ClientSession, app: App) -> None:
    """But for the WebSocket and the built pages, which are no part of the API."""
    served = {
        (route.method, route.resource.canonical)
        for route in app.routes
        if route.resource and route.method not in ("HEAD", "*")
    }
    pages = {("GET", "/ws"), ("GET", "/"), ("GET", "/dashboard"), ("GET", "/admin"), ("GET", "/assets")}
    assert served - pages == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
