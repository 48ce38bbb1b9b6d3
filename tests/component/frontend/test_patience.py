"""The Python client waits for as long as a server that refuses it asks for."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ari_bridge_client import ConnectionFailed, ConnectionLost, Refused
from ari_bridge_client.connection import Connection
from ari_bridge_client.retry import MAX_RETRY_AFTER_S, wait_after


class Refusing:
    """A server that lets nobody in. `retry_after`: what it says of when to come again, as it says it."""

    def __init__(self) -> None:
        self.retry_after: str | None = None
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": self.retry_after} if self.retry_after else {})


@pytest.fixture
async def refusing() -> AsyncIterator[Refusing]:
    refusing = Refusing()
    app = web.Application()
    app.router.add_get("/ws", refusing.answer)
    async with TestServer(app) as server:
        refusing.url = str(server.make_url("/ws"))
        yield refusing


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7.0), (None, 0.0), ("Tue, 24 Nov 2026 12:00:00 GMT", 0.0), ("-1", 0.0), ("²", 0.0)]
)
async def test_a_refused_upgrade_tells_when_to_come_again(refusing: Refusing, said: str | None, seconds: float) -> None:
    refusing.retry_after = said
    with pytest.raises(ConnectionFailed) as failed:
        await Connection(refusing.url, on_message=lambda message: None).open()
    assert (failed.value.status, failed.value.retry_after) == (503, seconds)


def test_the_pause_is_never_shorter_than_asked_for() -> None:
    refused = Refused("too_many", "Too many.", retry_after=8.0)
    waits = [wait_after(refused, 0.25) for _ in range(100)]
    assert all(8.0 <= wait <= 12.0 for wait in waits)
    assert len(set(waits)) > 1, "many clients would come at once"


def test_without_a_wish_it_is_the_pause() -> None:
    assert wait_after(Refused("unavailable", "Not now."), 0.25) == 0.25
    assert wait_after(ConnectionLost(), 5.0) == 5.0


def test_a_server_that_asks_for_a_year_is_tried_all_the_same() -> None:
    assert wait_after(ConnectionFailed("ws://x/ws", "no", 503, 3e7), 0.25) <= MAX_RETRY_AFTER_S * 1.5
