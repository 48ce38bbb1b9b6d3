"""`Idempotency-Key`: one call, and one answer, however often it is asked for, also by the next process."""

import asyncio
import json
import sqlite3
import time
from typing import Any

import aiohttp
import pytest

from ari_bridge.call_store import Key, KeyStoreUnavailable
from ari_bridge.call_store.status import StoreState
from ari_bridge.fsm.call import CallState
from frontend.app import App
from frontend.http import idempotency
from frontend.http.idempotency import HEADER, REPLAYED, fingerprint_of
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.ari import FakeAri, RingsForEver
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER
from tests.real.journals import remove_journal

INVITE = {"target": "600", "sdp": OFFER}
KEY = {HEADER: "order 4711"}


async def post(
    http: aiohttp.ClientSession, path: str = "/invite", body: Any = INVITE, key: str | None = KEY[HEADER]
) -> tuple[int, str, bool]:
    """Status, body, and whether it says that it is a repeat."""
    async with http.post(path, json=body, headers={HEADER: key} if key is not None else {}) as response:
        return response.status, await response.text(), REPLAYED in response.headers


def placed(pbx: FakeAri) -> int:
    return pbx.count("channels.create")


async def test_a_repeat_gets_the_same_answer_and_places_no_call(http: aiohttp.ClientSession, pbx: FakeAri) -> None:
    status, body, replayed = await post(http)
    assert status == 201 and not replayed
    for _ in range(3):
        assert await post(http) == (201, body, True)
    assert placed(pbx) == 1


async def test_without_a_key_each_is_a_call_of_its_own(http: aiohttp.ClientSession, pbx: FakeAri) -> None:
    for _ in range(2):
        assert (await post(http, key=None))[0] == 201
    assert placed(pbx) == 2


async def test_repeats_at_once_wait_for_the_first(
    http: aiohttp.ClientSession, pbx: FakeAri, rtpengine: FakeRtpengine
) -> None:
    rtpengine.delay["offer"] = 0.2
    answers = await asyncio.gather(*(post(http) for _ in range(5)))
    assert {(status, body) for status, body, _ in answers} == {(201, answers[0][1])}
    assert sorted(replayed for _, _, replayed in answers) == [False, True, True, True, True]
    assert placed(pbx) == 1


async def test_a_repeat_does_not_wait_for_ever(
    http: aiohttp.ClientSession, pbx: FakeAri, rtpengine: FakeRtpengine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "REPEAT_TIMEOUT_S", 0.05)
    rtpengine.delay["offer"] = 0.4
    first = asyncio.create_task(post(http))
    await until(lambda: placed(pbx), "the first has begun")
    async with http.post("/invite", json=INVITE, headers=KEY) as response:
        assert response.status == 409
        assert response.headers["Retry-After"] == "1"
        assert (await response.json())["code"] == "in_progress"
    status, body, _ = await first
    assert await post(http) == (status, body, True)


async def test_the_same_body_may_be_written_otherwise(http: aiohttp.ClientSession, pbx: FakeAri) -> None:
    _, body, _ = await post(http)
    assert await post(http, body={"sdp": OFFER, "target": "600"}) == (201, body, True)


@pytest.mark.parametrize("other", [{"target": "601", "sdp": OFFER}, {**INVITE, "caller": "1"}])
async def test_another_body_with_the_key_is_refused(http: aiohttp.ClientSession, pbx: FakeAri, other: Any) -> None:
    await post(http)
    async with http.post("/invite", json=other, headers=KEY) as response:
        assert response.status == 422
        assert (await response.json())["code"] == "idempotency_key_reused"
    assert placed(pbx) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "tab\there"])
async def test_a_bad_key(http: aiohttp.ClientSession, pbx: FakeAri, key: str) -> None:
    status, body, _ = await post(http, key=key)
    assert (status, "Idempotency-Key" in body) == (400, True)
    assert placed(pbx) == 0


async def test_a_key_given_twice(http: aiohttp.ClientSession, pbx: FakeAri) -> None:
    async with http.post("/invite", json=INVITE, headers=[(HEADER, "a"), (HEADER, "b")]) as response:
        assert response.status == 400
    assert placed(pbx) == 0


async def test_a_refusal_leaves_the_key_free(http: aiohttp.ClientSession, app: App, pbx: FakeAri) -> None:
    assert (await post(http, body={"target": "600&700", "sdp": OFFER}))[0] == 400
    app.calls.draining = True
    assert (await post(http))[0] == 503
    app.calls.draining = False
    assert (await post(http))[0] == 201
    assert placed(pbx) == 1


async def test_a_call_that_failed_is_not_tried_again(
    http: aiohttp.ClientSession, pbx: FakeAri, rtpengine: FakeRtpengine
) -> None:
    rtpengine.refuse.add("offer")
    status, body, _ = await post(http)
    assert status == 502 and "failed_media" in body
    rtpengine.refuse.clear()
    assert await post(http) == (502, body, True)
    assert placed(pbx) == 1


async def test_a_client_that_goes_away_finds_its_call(
    http: aiohttp.ClientSession, pbx: FakeAri, rtpengine: FakeRtpengine
) -> None:
    rtpengine.delay["offer"] = 0.2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await post(http)
    status, body, _ = await post(http)
    assert status == 201 and '"callId"' in body
    assert placed(pbx) == 1


async def test_a_client_that_goes_away_without_a_key_ends_its_call(
    http: aiohttp.ClientSession, app: App, rtpengine: FakeRtpengine
) -> None:
    rtpengine.delay["offer"] = 0.2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await post(http, key=None)
    [call] = app.calls.live()
    await until(lambda: app.calls.get(call.id).outcome, "it is hung up")


async def test_where_the_key_cannot_be_kept_no_call_is_placed(
    http: aiohttp.ClientSession, app: App, pbx: FakeAri, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "KEY_STORE_TIMEOUT_S", 0.0)
    app.store.status.state = StoreState.DEGRADED  # as on a full disk
    async with http.post("/invite", json=INVITE, headers=KEY) as response:
        assert response.status == 503
        assert int(response.headers["Retry-After"]) >= 1
    assert placed(pbx) == 0
    assert (await post(http, key=None))[0] == 201, "who gives no key is not refused"
    app.store.status.state = StoreState.HEALTHY
    assert (await post(http))[0] == 201


async def test_an_answer_that_cannot_be_kept_is_given_again_by_this_process(
    http: aiohttp.ClientSession, app: App, pbx: FakeAri, rtpengine: FakeRtpengine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "KEY_STORE_TIMEOUT_S", 0.0)
    rtpengine.delay["offer"] = 0.2
    first = asyncio.create_task(post(http))
    await until(lambda: placed(pbx), "the first has begun")
    app.store.status.state = StoreState.DEGRADED
    status, body, _ = await first
    assert await post(http) == (status, body, True)
    with pytest.raises(KeyStoreUnavailable):
        app.store.keys.get("", KEY[HEADER])
    app.store.status.state = StoreState.HEALTHY


# --- verbs -----------------------------------------------------------------------


async def test_a_verb_is_done_once(http: aiohttp.ClientSession, app: App, pbx: FakeAri) -> None:
    await post(http, body={**INVITE, "callId": "call"}, key=None)
    await until(lambda: app.calls.get("call").state is CallState.UP)
    pbx.far_side = RingsForEver()
    status, body, _ = await post(http, "/call/call/parties", {"target": "700"})
    assert status == 202
    assert await post(http, "/call/call/parties", {"target": "700"}) == (202, body, True)
    assert (await post(http, "/call/call/transfer", {"target": "700"}))[0] == 422, "the key is for one request"
    assert placed(pbx) == 2


async def test_a_verb_that_was_refused_may_be_asked_anew(http: aiohttp.ClientSession, app: App) -> None:
    assert (await post(http, "/call/call/dtmf", {"digits": "1"}))[0] == 404
    await post(http, body={**INVITE, "callId": "call"}, key=None)
    await until(lambda: app.calls.get("call").state is CallState.UP)
    assert (await post(http, "/call/call/dtmf", {"digits": "1"}))[0] == 202


async def test_a_verb_in_whose_middle_the_server_died_is_not_done_again(http: aiohttp.ClientSession, app: App) -> None:
    await post(http, body={**INVITE, "callId": "call"}, key=None)
    print_of_it = fingerprint_of("POST", "/call/call/dtmf", b'{"digits": "1"}')
    app.store.keys.put(Key("", "k", print_of_it, "call", time.time()))
    async with http.post("/call/call/dtmf", json={"digits": "1"}, headers={HEADER: "k"}) as response:
        assert response.status == 409
        problem = await response.json()
    assert (problem["code"], problem["callId"]) == ("in_doubt", "call")


# --- the next process --------------------------------------------------------------


async def test_the_next_process_gives_the_same_answer(settings: Settings, app: App, pbx: FakeAri) -> None:
    async with aiohttp.ClientSession(app.url) as http:
        status, body, _ = await post(http)
    await app.close()
    async with aiohttp.ClientSession((following := await started(settings)).url) as http:
        assert await post(http) == (status, body, True)
    await following.close()
    assert placed(pbx) == 1


async def test_a_call_that_rang_when_its_process_died_gets_an_answer_of_the_next(
    settings: Settings, app: App, pbx: FakeAri
) -> None:
    """Its SDP answer was never told: the same offer gets a new one, of the same call."""
    pbx.far_side = RingsForEver()
    async with aiohttp.ClientSession(app.url) as http:
        _, body, _ = await post(http)
    await until(lambda: [call.state.value for call in app.calls.live()] == ["ringing"])
    [call] = app.calls.live()
    await app.close()
    forget_answer(settings)
    async with aiohttp.ClientSession((following := await started(settings)).url) as http:
        await until(lambda: following.calls.live(), "it is adopted")
        status, again, replayed = await post_patiently(http)
        assert (status, replayed) == (201, True)
        assert call.id in again and "v=0" in again
        assert await post(http) == (201, again, True)
    await following.close()
    assert placed(pbx) == 1


async def test_a_call_that_ended_with_its_process_is_told_and_not_placed_again(
    settings: Settings, app: App, pbx: FakeAri, rtpengine: FakeRtpengine
) -> None:
    rtpengine.delay["offer"] = 60  # it dies in the middle of the set-up
    # Before the far side rings. One that has answered stands, and gets new media within the grace: another answer.
    pbx.hang.add("channels.dial")
    async with aiohttp.ClientSession(app.url) as http:
        first = asyncio.create_task(post(http))
        await until(lambda: placed(pbx), "the first has begun")
        [call] = app.calls.live()
        await app.close()
        with pytest.raises((aiohttp.ClientError, AssertionError)):
            status, _, _ = await first
            assert status != 503
    rtpengine.delay.clear()
    pbx.hang.clear()
    async with aiohttp.ClientSession((following := await started(settings)).url) as http:
        status, body, replayed = await post_patiently(http)
        assert (status, replayed) == (502, True)
        assert call.id in body and "failed_" in body
        assert await post(http) == (502, body, True)
    await following.close()
    assert placed(pbx) == 1


async def test_a_key_of_which_nothing_came_is_done_by_the_next_process(
    http: aiohttp.ClientSession, app: App, pbx: FakeAri
) -> None:
    """It died between the key and the call."""
    print_of_it = fingerprint_of("POST", "/invite", json.dumps(INVITE).encode())
    app.store.keys.put(Key("", KEY[HEADER], print_of_it, "chosen", time.time()))
    status, body, _ = await post(http)
    assert status == 201 and '"chosen"' in body
    assert placed(pbx) == 1


async def started(settings: Settings) -> App:
    app = App(settings)
    await app.start()
    await until(lambda: app.ari.connected)
    return app


async def post_patiently(http: aiohttp.ClientSession) -> tuple[int, str, bool]:
    """As a client does that heeds Retry-After, without its pauses."""
    async with asyncio.timeout(5):
        while (answer := await post(http))[0] == 503:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return answer


def forget_answer(settings: Settings) -> None:
    """As if the process had died before it kept its answer."""
    with sqlite3.connect(settings.state_dir / "calls.sqlite3") as connection:
        connection.execute("UPDATE keys SET answer = NULL")
    connection.close()
    remove_journal(settings.state_dir)
