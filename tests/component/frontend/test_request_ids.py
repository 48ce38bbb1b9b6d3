"""Every answer has a request id, and the log has the same."""

from collections.abc import Iterator

import aiohttp
import pytest
import structlog

from frontend.app import App
from frontend.cli.logging import EventDict
from frontend.http.request_ids import HEADER, LOGGED_AS
from tests.component.conftest import until
from tests.fakes.ari import FakeAri
from tests.offers import OFFER


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    """What is logged, at every level, with what the context says of it as in the field."""
    seen: list[EventDict] = []

    def keep(logger: object, level: str, event: EventDict) -> EventDict:
        seen.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep])
    yield seen
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/config", 200), ("/call/none", 404), ("/nothing", 404), ("/", None)]
)
async def test_every_answer_has_one(http: aiohttp.ClientSession, path: str, status: int | None) -> None:
    seen = set()
    for _ in range(2):
        async with http.get(path) as response:
            assert status in (None, response.status)
            seen.add(response.headers[HEADER])
    assert len(seen) == 2


async def test_refusals_before_any_route_have_one(http: aiohttp.ClientSession) -> None:
    async with http.get("/config", headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403 and response.headers[HEADER]
    async with http.post("/health") as response:
        assert response.status == 405 and response.headers[HEADER]
    preflight = {"Origin": "https://phone.example.com", "Access-Control-Request-Method": "DELETE"}
    async with http.options("/call/x", headers=preflight) as response:
        assert response.status == 204 and response.headers[HEADER]


async def test_streams_and_upgrades_have_one(app: App, http: aiohttp.ClientSession) -> None:
    async with http.get("/events", headers={HEADER: "stream"}) as response:
        assert response.headers[HEADER] == "stream"
    for url in (app.ws_url, app.legacy_ws_url):
        async with http.ws_connect(url, headers={HEADER: "page.1"}) as socket:
            assert socket._response.headers[HEADER] == "page.1"


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64])
async def test_a_sane_one_of_the_client_is_kept(http: aiohttp.ClientSession, given: str) -> None:
    async with http.get("/health", headers={HEADER: given}) as response:
        assert response.headers[HEADER] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a/b", "ä", '"a"'])
async def test_another_is_replaced(http: aiohttp.ClientSession, given: str) -> None:
    async with http.get("/health", headers={HEADER: given}) as response:
        assert response.headers[HEADER] not in ("", given)


async def test_the_call_that_a_request_begins_has_it_in_its_log_lines(
    logged: list[EventDict], http: aiohttp.ClientSession, pbx: FakeAri
) -> None:
    body = {"target": "600", "sdp": OFFER, "callId": "my.call"}
    async with http.post("/invite", json=body, headers={HEADER: "invited"}) as response:
        assert response.status == 201
    await until(lambda: any("UP" in str(line["event"]) for line in logged), "the far side answers")
    async with http.delete("/call/my.call", headers={HEADER: "deleted"}) as response:
        assert response.status == 204
    told = [line for line in logged if line.get("call") == "my.call"]
    assert {line.get(LOGGED_AS) for line in told} >= {"invited", "deleted"}
    assert {line.get(f"started_by_{LOGGED_AS}") for line in told} == {"invited"}
    assert any(line.get(LOGGED_AS) == "deleted" and "HungUp" in str(line["event"]) for line in told)
