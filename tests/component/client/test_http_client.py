"""The HTTP client against a server that answers as it should, late, wrong, or in the middle only."""

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ari_bridge_client import ConnectionFailed, DownloadFailed, HttpClient, Problem, Refused, RetryPolicy
from frontend.api.routes.call_endpoints import EXAMPLE_CALL
from tests.fakes.http_api import FakeHttpApi, Given, RecordedRequest, ok, problem

CALL: dict[str, Any] = msgspec.to_builtins(EXAMPLE_CALL) | {
    "callId": "one",
    "direction": "outbound",
    "state": "trying",
    "target": "600",
    "caller": "1001",
    "somethingNew": [1],
}
INVITED = {"callId": "one", "sdp": "v=0", "state": "trying"}


async def test_a_refusal_is_one_exception_with_all_that_was_told(api: FakeHttpApi, http: HttpClient) -> None:
    members: dict[str, Any] = {"field": "target", "callId": "one", "requestId": "r1", "outcome": "busy"}
    api.answer("POST /call/one/transfer", problem(400, "invalid_target", "The number is too long.", **members))
    with pytest.raises(Problem) as raised:
        await http.transfer("one", "7" * 99)
    error = raised.value
    assert isinstance(error, Refused)
    assert (error.status, error.code, error.field, error.call_id) == (400, "invalid_target", "target", "one")
    assert (error.request_id, error.details.outcome, error.fatal) == ("r1", "busy", True)
    assert error.details.type == "/docs#problem-invalid_target"
    assert str(error) == "invalid_target: The number is too long. (field target)"


@pytest.mark.parametrize(
    "given",
    [
        Given(404, b"<h1>nginx</h1>", (("Content-Type", "text/html"), ("X-Request-Id", "r2"))),
        Given(404, b"{", (("Content-Type", "application/problem+json"), ("X-Request-Id", "r2"))),
        Given(404, b'{"code": 7}', (("Content-Type", "application/problem+json"), ("X-Request-Id", "r2"))),
    ],
)
async def test_a_refusal_of_somebody_else_is_a_problem_too(api: FakeHttpApi, http: HttpClient, given: Given) -> None:
    api.answer("GET /cdrs/one", given)
    with pytest.raises(Problem) as raised:
        await http.get_cdr("one")
    assert (raised.value.status, raised.value.code, raised.value.request_id) == (404, "error", "r2")


async def test_the_token_of_the_sign_in_is_used(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer("POST /session", ok({"token": "abc", "user": "1001", "expiresAt": 1790000000}))
    api.answer("GET /people", ok({"people": [{"number": "1002", "name": "", "state": "available"}]}))
    assert (await http.sign_in("1001", "secret")).user == "1001"
    [person] = await http.list_people()
    assert person.number == "1002"
    assert api.asked[1].headers["Authorization"] == "Bearer abc"


# --- asked again, or not -------------------------------------------------------------


async def test_an_invite_is_asked_again_with_the_same_key(api: FakeHttpApi, http: HttpClient) -> None:
    busy = problem(503, "unavailable", "Not now.", headers={"Retry-After": "0"})
    running = problem(409, "in_progress", "It is being placed.", headers={"Retry-After": "1"}, retryAfter=1)
    api.answer("POST /invite", busy, running, Given(201, b"cut", cut=1), ok(INVITED, 201))
    assert (await http.invite("600", "v=0", idempotency_key="mine")).call_id == "one"
    assert [asked.headers["Idempotency-Key"] for asked in api.asked] == ["mine"] * 4
    assert len({asked.body for asked in api.asked}) == 1


async def test_without_a_key_of_ours_one_is_made(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer("POST /invite", ok(INVITED, 201))
    await http.invite("600", "v=0")
    await http.invite("600", "v=0")
    first, second = (asked.headers["Idempotency-Key"] for asked in api.asked)
    assert first and second and first != second
    assert msgspec.json.decode(api.asked[0].body) == {"target": "600", "sdp": "v=0"}


async def test_what_is_not_safe_is_asked_once(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer("POST /call/one/dtmf", problem(503, "unavailable", "Not now."))
    api.answer("DELETE /call/one", problem(503, "unavailable", "Not now."))
    for asking in (http.send_dtmf("one", "1"), http.hangup("one")):
        with pytest.raises(Problem):
            await asking
    assert api.paths() == ["POST /call/one/dtmf", "DELETE /call/one"]


@pytest.mark.parametrize(
    ("status", "code"), [(400, "invalid_sdp"), (422, "idempotency_key_reused"), (502, "call_failed")]
)
async def test_what_is_wrong_is_asked_once(api: FakeHttpApi, http: HttpClient, status: int, code: str) -> None:
    api.answer("POST /invite", problem(status, code, "No."))
    with pytest.raises(Problem):
        await http.invite("600", "v=0")
    assert len(api.asked) == 1


async def test_a_verb_with_a_key_is_asked_again(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer("POST /call/one/transfer", Given(202, b"cut", cut=1), ok(CALL, 202))
    await http.transfer("one", "700", idempotency_key="mine")
    assert [asked.headers["Idempotency-Key"] for asked in api.asked] == ["mine"] * 2


async def test_a_call_that_ended_at_once_says_how(api: FakeHttpApi, http: HttpClient) -> None:
    cause = {"q850": 34, "sip": 503, "text": "No circuit available"}
    api.answer("POST /invite", problem(502, "call_failed", "It ended.", outcome="unreachable", cause=cause))
    with pytest.raises(Problem) as raised:
        await http.invite("600", "v=0")
    details = raised.value.details
    assert details.outcome == "unreachable" and details.cause and details.cause.q850 == 34


async def test_the_deadline_ends_it(api: FakeHttpApi) -> None:
    api.answer("GET /stats", problem(503, "unavailable", "Not now.", headers={"Retry-After": "30"}))
    async with HttpClient(api.url, retry_policy=RetryPolicy(attempt_timeout=0.2, total_timeout=2.0)) as http:
        with pytest.raises(Problem) as raised:
            await http.get_stats()
        assert raised.value.retry_after == 30
        assert len(api.asked) == 1  # the next try would come too late
        api.answer("GET /config", Given(hang=True))
        with pytest.raises(ConnectionFailed, match="no response in time"):
            await http.get_config()
        assert len(api.asked) > 2


async def test_nobody_there() -> None:
    async with HttpClient(
        "http://127.0.0.1:9", retry_policy=RetryPolicy(attempt_timeout=0.5, total_timeout=0.5)
    ) as http:
        with pytest.raises(ConnectionFailed):
            await http.get_health()


async def test_no_name_leaves_its_place_in_the_path(api: FakeHttpApi, http: HttpClient) -> None:
    with pytest.raises(Problem):
        await http.get_call("a/b?c#d e")
    [asked] = api.asked
    assert (asked.path, asked.query) == ("/call/a/b?c#d e", {})  # as the server reads it, percent-decoded


async def test_an_answer_that_is_none(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer("GET /call/one", ok({"callId": 7}))
    with pytest.raises(ConnectionFailed, match="not understood"):
        await http.get_call("one")


# --- calls ---------------------------------------------------------------------------


async def test_polling_misses_no_change(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer(
        "GET /call/one",
        ok(CALL, ETag='"1"'),
        Given(304),
        ok(CALL | {"state": "accepted", "answeredAt": 2.0}, ETag='"2"'),
        ok(CALL | {"state": "ended", "outcome": "completed"}, ETag='"3"'),
    )
    assert [call.state async for call in http.watch_call("one", wait=30)] == ["trying", "accepted", "ended"]
    assert [asked.query.get("wait") for asked in api.asked] == [None, "30", "30", "30"]
    assert [asked.headers.get("If-None-Match") for asked in api.asked] == [None, '"1"', '"1"', '"2"']


async def test_calls_come_page_by_page(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer(
        "GET /calls",
        ok({"calls": [CALL, CALL | {"callId": "two"}], "nextCursor": "abc"}),
        ok({"calls": [CALL | {"callId": "three"}], "nextCursor": None}),
    )
    calls = [call.call_id async for call in http.list_calls(live=True, direction="outbound", number="+49", limit=2)]
    assert calls == ["one", "two", "three"]
    asked = {"live": "true", "direction": "outbound", "number": "+49", "limit": "2"}
    assert [one.query for one in api.asked] == [asked, asked | {"cursor": "abc"}]


async def test_every_verb(api: FakeHttpApi, http: HttpClient) -> None:
    bodies: list[Any] = []

    def take(asked: RecordedRequest) -> Given:
        bodies.append(msgspec.json.decode(asked.body))
        return ok(CALL, 202)

    for verb in ("hold", "transfer", "parties", "leave", "record", "dtmf"):
        api.answer(f"POST /call/one/{verb}", take)
    api.answer("POST /call/one/feedback", Given(204))
    api.answer("DELETE /call/one", Given(204))
    api.answer("DELETE /call/one/parties/2", Given(204))
    await http.hold("one")
    await http.unhold("one")
    await http.transfer("one", "700")
    await http.attended_transfer("one", "two")
    await http.add_party("one", "700")
    await http.merge("one", "two")
    await http.leave("one")
    await http.record("one")
    assert (await http.send_dtmf("one", "12#")).call_id == "one"
    await http.drop_party("one", 2)
    await http.post_feedback("one", 5)
    await http.hangup("one")
    assert bodies == [
        {"held": True},
        {"held": False},
        {"target": "700"},
        {"toCallId": "two"},
        {"target": "700"},
        {"fromCallId": "two"},
        {},
        {"action": "start"},
        {"digits": "12#"},
    ]


# --- recordings and events -------------------------------------------------------------

SOUND = bytes(range(256)) * 4000
RECORDING = {
    "name": "one-rec1",
    "callId": "one",
    "user": "1001",
    "caller": "1001",
    "target": "600",
    "startedAt": 1.0,
    "seconds": 2.0,
    "size": len(SOUND),
    "sha256": hashlib.sha256(SOUND).hexdigest(),
}
AUDIO = "GET /recordings/one-rec1/audio"


async def test_a_download_goes_on_where_it_broke(api: FakeHttpApi, http: HttpClient, tmp_path: Path) -> None:
    def rest(asked: RecordedRequest) -> Given:
        start = int(asked.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        assert asked.headers["If-Range"] == f'"{RECORDING["sha256"]}"'
        return Given(206, SOUND[start:])

    api.answer("GET /recordings/one-rec1", ok(RECORDING))
    api.answer(AUDIO, Given(200, SOUND, cut=300_000), rest)
    await http.download_recording("one-rec1", tmp_path / "one.wav")
    assert (tmp_path / "one.wav").read_bytes() == SOUND
    assert os.listdir(tmp_path) == ["one.wav"]
    assert api.paths().count(AUDIO) == 2


@pytest.mark.parametrize("sound", [SOUND[:-1], b"x" * len(SOUND)], ids=["short", "other"])
async def test_a_download_that_is_not_the_recording_leaves_nothing(
    api: FakeHttpApi, http: HttpClient, tmp_path: Path, sound: bytes
) -> None:
    api.answer("GET /recordings/one-rec1", ok(RECORDING))
    api.answer(AUDIO, Given(200, sound))
    with pytest.raises(DownloadFailed):
        await http.download_recording("one-rec1", tmp_path / "one.wav")
    assert not os.listdir(tmp_path)


async def test_a_download_that_is_refused_leaves_nothing(api: FakeHttpApi, http: HttpClient, tmp_path: Path) -> None:
    api.answer("GET /recordings/one-rec1", ok(RECORDING))
    api.answer(AUDIO, problem(404, "unknown_recording", "Gone."))
    with pytest.raises(Problem):
        await http.download_recording("one-rec1", tmp_path / "one.wav")
    assert not os.listdir(tmp_path)


def block(number: int) -> bytes:
    data = {"id": number, "at": 1.0, "name": "call.changed", "callId": "one", "data": {}}
    return b"id: %d\nevent: call.changed\ndata: %b\n\n" % (number, msgspec.json.encode(data))


async def test_events_go_on_where_they_broke(api: FakeHttpApi, http: HttpClient) -> None:
    first = b"retry: 10\n\n" + block(5) + block(6) + block(7)[:20]
    refused = problem(503, "unavailable", "Not now.", headers={"Retry-After": "0"})
    api.answer("GET /events", Given(200, first), refused, Given(200, block(7) + block(8)))
    seen = []
    events = http.events(last_id=4)
    async for event in events:
        seen.append(event.id)
        if event.id == 8:
            break
    assert seen == [5, 6, 7, 8]
    assert [asked.headers.get("Last-Event-ID") for asked in api.asked] == ["4", "6", "6"]


async def test_events_end_where_we_are_not_wanted(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer("GET /events", problem(401, "unauthorized", "Sign in first."))
    with pytest.raises(Problem) as raised:
        async for _ in http.events():
            pass
    assert raised.value.code == "unauthorized"


async def test_events_go_on_with_another_token_where_the_first_has_ended(api: FakeHttpApi, http: HttpClient) -> None:
    def session(token: str) -> Given:
        return ok({"token": token, "user": "1001", "expiresAt": 1.0})

    api.answer("POST /session", session("first"), session("second"))
    ended = problem(401, "unauthorized", "The token has expired: sign in again.")
    api.answer("GET /events", Given(200, b"retry: 10\n\n" + block(5)), ended, Given(200, block(6)))
    await http.sign_in("1001", "right")
    async for event in http.events():
        if event.id == 6:
            break
    shown = [asked.headers.get("Authorization") for asked in api.asked if asked.path == "/events"]
    assert shown == ["Bearer first", "Bearer first", "Bearer second"]


async def test_a_password_that_somebody_else_has_chosen_is_changed_at_the_sign_in(
    api: FakeHttpApi, http: HttpClient
) -> None:
    first = problem(401, "password_change_required", "Choose a password of your own.", challenge="one")
    api.answer("POST /session", first)
    api.answer("POST /session/password", ok({"token": "abc", "user": "1001", "expiresAt": 1.0}))
    with pytest.raises(Problem) as asked:
        await http.sign_in("1001", "given")
    assert (asked.value.code, asked.value.challenge, asked.value.fatal) == ("password_change_required", "one", True)
    await http.choose_password(asked.value.challenge, "my own")
    assert http.token == "abc"
    assert msgspec.json.decode(api.asked[-1].body) == {"challenge": "one", "newPassword": "my own"}


async def test_a_second_factor_completes_the_sign_in(api: FakeHttpApi, http: HttpClient) -> None:
    api.answer("POST /session", problem(401, "second_factor_required", "The code.", challenge="one"))
    api.answer("POST /session/second-factor", ok({"token": "abc", "user": "1001", "expiresAt": 1.0}))
    with pytest.raises(Problem) as asked:
        await http.sign_in("1001", "right")
    await http.give_second_factor(asked.value.challenge, "492039")
    assert http.token == "abc"
    assert msgspec.json.decode(api.asked[-1].body) == {"challenge": "one", "code": "492039"}


async def test_a_password_that_is_another_one_since_is_tried_once(api: FakeHttpApi, http: HttpClient) -> None:
    """More tries would shut its user out."""
    wrong = problem(401, "unauthorized", "The user name or the password is wrong.")
    api.answer("POST /session", ok({"token": "first", "user": "1001", "expiresAt": 1.0}), wrong)
    api.answer("GET /people", problem(401, "unauthorized", "The token has expired: sign in again."))
    await http.sign_in("1001", "right")
    for _ in range(3):
        with pytest.raises(Problem, match="expired"):
            await http.list_people()
    assert api.paths().count("POST /session") == 2
