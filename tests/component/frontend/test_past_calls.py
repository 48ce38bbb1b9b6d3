"""A call that has ended is told to all pages of its user, and to nobody else; the records have it for who was away."""

import asyncio
from typing import Any

import aiohttp

from frontend.app import App
from tests.component.frontend.test_attendant import Page, continued
from tests.fakes.ari import FakeAri
from tests.offers import OFFER


async def nothing_of_it(page: Page, kind: str) -> None:
    """What comes before the answer to a ping has no message of this kind."""
    await page.send(type="ping", id=7)
    async with asyncio.timeout(10):
        while (message := await page.socket.receive_json())["type"] != "pong":
            assert message["type"] != kind


async def listed(http: aiohttp.ClientSession, path: str, key: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while True:
            async with http.get(path) as response:
                body = await response.json()
            if len(found := body[key]) >= count:
                return list(found)
            await asyncio.sleep(0.02)


async def test_every_page_of_the_user_is_told_of_a_missed_call(app: App, pbx: FakeAri) -> None:
    async with Page(app, "1001") as one, Page(app, "1001") as two, Page(app, "1002") as another:
        await pbx.call_in("ast-1", "1001")
        call_id = (await one.told("incoming-call"))["callId"]
        await pbx.end("ast-1", 26)
        for page in (one, two):
            told = await page.told("past-call", callId=call_id)
            assert (told["direction"], told["target"], told["outcome"]) == ("inbound", "1001", "answered_elsewhere")
            assert told["talkSeconds"] == 0 and "answeredAt" not in told and told["ringingAt"] > 0
        await nothing_of_it(another, "past-call")


async def test_a_call_that_another_page_had_is_told_as_its_record_has_it(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession
) -> None:
    async with Page(app, "1001") as one, Page(app, "1001") as two:
        await one.send(type="offer", sdp=OFFER, target="600", callId="call")
        await one.told("state", state="accepted")
        await one.send(type="hangup", callId="call")
        told = await two.told("past-call", callId="call")
    [record] = await listed(http, "/cdrs?user=1001", "cdrs", 1)
    del told["type"]
    assert {name: record[name] for name in told} == told
    assert told["outcome"] == "completed"


async def test_who_was_away_finds_it_in_the_records_and_in_the_memory_of_calls(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession
) -> None:
    await pbx.call_in("ast-1", "1001")  # no page is open
    await continued(pbx, "ast-1")
    [record] = await listed(http, "/cdrs?user=1001", "cdrs", 1)
    assert (record["outcome"], record["ringingAt"]) == ("unreachable", None)
    [call] = await listed(http, "/calls?live=false", "calls", 1)
    assert (call["callId"], call["target"], call["user"], call["users"]) == (record["callId"], "1001", None, [])
    async with Page(app, "1001") as page:
        await nothing_of_it(page, "past-call")
