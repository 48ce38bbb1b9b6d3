"""`Idempotency-Key` on a real PBX: the front end is killed before or after its answer, and one call is all there is."""

import asyncio
from urllib.parse import quote

import aiohttp
import msgspec
import pytest
from yarl import URL

from ari_bridge.ids import stem_of
from frontend.http.idempotency import HEADER, REPLAYED
from tests.chaos.front_end import FrontEnd
from tests.offers import OFFER
from tests.real.parts import Pbx, both_versions

pytestmark = pytest.mark.real


class Told(msgspec.Struct, rename="camel"):
    """Of an answer, or of a problem."""

    call_id: str
    sdp: str = ""
    outcome: str = ""


async def invite(front_end: FrontEnd, key: str, call_id: str | None = None) -> tuple[int, bytes, bool]:
    """Status, body, and whether it is a repeat; 0 where the front end died meanwhile."""
    body = {"target": "600", "sdp": OFFER, "callId": call_id}
    try:
        async with (
            aiohttp.ClientSession(front_end.url) as http,
            http.post("/invite", json=body, headers={HEADER: key}) as response,
        ):
            return response.status, await response.read(), REPLAYED in response.headers
    except aiohttp.ClientError:
        return 0, b"", False


async def invite_until_told(front_end: FrontEnd, key: str, call_id: str | None = None) -> tuple[int, bytes, bool]:
    """As a client does that asks again while it is told to."""
    async with asyncio.timeout(15):
        while (answer := await invite(front_end, key, call_id))[0] in (0, 503):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return answer


async def killed_and_back(front_end: FrontEnd) -> None:
    await front_end.kill()
    await front_end.start()


async def of_calls(front_end: FrontEnd) -> set[str]:
    """The calls that the channels and bridges in Asterisk belong to."""
    live = await front_end.get("/live")
    return {one["callId"] for one in [*live["channels"], *live["bridges"]] if one["callId"]}


async def remembered(front_end: FrontEnd) -> list[str]:
    return [call["callId"] for call in (await front_end.get("/calls"))["calls"]]


async def stands(front_end: FrontEnd, call_id: str, state: str) -> None:
    async with asyncio.timeout(10):
        while (await front_end.get(f"/call/{quote(call_id, safe='')}"))["state"] != state:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def hang_up(front_end: FrontEnd, call_id: str) -> None:
    async with (
        aiohttp.ClientSession(front_end.url) as http,
        http.delete(URL(f"/call/{quote(call_id, safe='')}", encoded=True)) as response,
    ):
        assert response.status == 204


@both_versions
async def test_killed_after_the_answer(front_end: FrontEnd) -> None:
    status, body, replayed = await invite(front_end, "order 1")
    assert (status, replayed) == (201, False)
    call_id = msgspec.json.decode(body, type=Told).call_id
    await stands(front_end, call_id, "accepted")
    await killed_and_back(front_end)
    assert await invite_until_told(front_end, "order 1") == (201, body, True)
    assert await of_calls(front_end) == {call_id}
    await hang_up(front_end, call_id)
    await stands(front_end, call_id, "ended")
    await killed_and_back(front_end)
    assert await invite_until_told(front_end, "order 1") == (201, body, True), "also when it has ended"
    assert await remembered(front_end) == [call_id]


@both_versions
@pytest.mark.parametrize("call_id", ["call-1790000000000", "order №7/a {b}"])
async def test_a_call_is_known_by_the_id_that_its_client_chose_after_a_kill(
    front_end: FrontEnd, pbx: Pbx, call_id: str
) -> None:
    status, body, _ = await invite(front_end, "order 1", call_id)
    assert (status, msgspec.json.decode(body, type=Told).call_id) == (201, call_id)
    await stands(front_end, call_id, "accepted")
    await killed_and_back(front_end)
    assert await invite_until_told(front_end, "order 1", call_id) == (201, body, True)
    assert await of_calls(front_end) == {call_id}, "what stands in Asterisk is the call's"
    live = await front_end.get("/live")
    assert live["channels"] and all(one["id"].startswith(f"{stem_of(call_id)}-") for one in live["channels"])
    await hang_up(front_end, call_id)
    await stands(front_end, call_id, "ended")
    await killed_and_back(front_end)
    assert await remembered(front_end) == [call_id]


@both_versions
async def test_killed_at_any_moment_of_the_set_up(front_end: FrontEnd) -> None:
    calls = []
    for milliseconds in (1, 5, 10, 20, 30, 45, 60, 100):
        key = f"order after {milliseconds} ms"
        first = asyncio.create_task(invite(front_end, key))
        await asyncio.sleep(milliseconds / 1000)
        await killed_and_back(front_end)
        before, told_before, _ = await first
        status, told, replayed = await invite_until_told(front_end, key)
        assert status in (201, 502)
        answer = msgspec.json.decode(told, type=Told)
        assert answer.sdp.startswith("v=0") if status == 201 else answer.outcome in ("failed_pbx", "unreachable")
        if before:
            assert (before, told_before, True) == (status, told, replayed)
        assert await of_calls(front_end) <= {answer.call_id}
        calls.append(answer.call_id)
        assert await remembered(front_end) == calls[::-1], "no other was ever begun"
        assert await invite(front_end, key) == (status, told, True)
        await hang_up(front_end, answer.call_id)
