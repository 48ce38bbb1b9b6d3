"""Every operation of the API and every message of the WebSocket × every role × one's own and another's: `decisions`.

Own is what 1001 has; every other user tries it as another's. What one may not see has to answer word for word as what
does not exist.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from ari_bridge.fsm.call import CallState
from ari_bridge.recordings import Recording
from frontend.api.routes import ENDPOINTS
from frontend.app import App
from frontend.auth.grants import OF_ROLE, Grant, grants_of
from frontend.http.endpoint import Endpoint
from frontend.settings import Settings
from tests.fakes.ari import Answers, FakeAri
from tests.fakes.recordings import a_sound
from tests.offers import OFFER
from tests.security.conftest import USERS, Page, SignIn
from tests.security.conftest import settings as signed_in_settings
from tests.security.decisions import MESSAGES, OPERATIONS, Decision, Object

OWNER = "1001"
OTHERS = {name: role for name, role in USERS.items() if name != OWNER}
REFUSALS = (401, 403, 404)
OpenPage = Callable[[], Awaitable[Page]]

__all__ = ["signed_in_settings"]


@pytest.fixture
def settings(signed_in_settings: Settings) -> Settings:
    many = {"max_calls_per_user": 100, "max_legs_per_user": 100, "max_legs_per_minute": 1000}
    return signed_in_settings.model_copy(update=many)


def test_every_role_is_tried() -> None:
    assert {*OTHERS.values()} >= {*OF_ROLE} - {"agent"}
    assert OF_ROLE["agent"] == OF_ROLE["user"], "then it has to be tried by itself"


def may(role: str, grant: Grant | None) -> bool:
    return grant is not None and grant in grants_of([role])


@dataclass
class Answer:
    status: int
    text: str

    @property
    def code(self) -> str:
        try:
            return str(json.loads(self.text)["code"])
        except (ValueError, KeyError, TypeError):
            return ""

    def without(self, name: str) -> tuple[int, Any]:
        """What it says, but for the name that was asked for and the request's own id."""
        told = json.loads(self.text.replace(name, "NAME"))
        return self.status, {key: value for key, value in told.items() if key not in ("requestId", "instance")}


class Asker:
    """Sends an operation's example, about an object."""

    def __init__(self, http: aiohttp.ClientSession, app: App) -> None:
        self._http = http
        self._app = app

    async def ask(self, endpoint: Endpoint[Any, Any], headers: dict[str, str], about: str = "") -> Answer:
        known = self._app.accounts.find("1002")
        assert known
        values = {"callId": about or "call", "name": about or "name-rec1", "party": "1", "userId": known.id}
        if "{keyId}" in endpoint.path:
            values["keyId"] = (await self._app.accounts.api_keys.create("tried", ["dial"]))[0].id
        path = endpoint.path
        query = {}
        for parameter in endpoint.parameter_specs:
            value = values.get(parameter.name, endpoint.example.get(parameter.name, "x"))
            if f"{{{parameter.name}}}" in path:
                path = path.replace(f"{{{parameter.name}}}", value)
            elif parameter.required and parameter.place == "query":
                query[parameter.name] = value
        body = msgspec.json.encode(endpoint.example_body) if endpoint.example_body is not None else None
        sent = {"Content-Type": "application/json", **headers}
        request = self._http.request(endpoint.method, path, params=query, data=body, headers=sent)
        async with request as response:
            if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                return Answer(response.status, "")
            return Answer(response.status, (await response.read()).decode(errors="replace"))


@pytest.fixture
def asker(http: aiohttp.ClientSession, app: App) -> Asker:
    return Asker(http, app)


class Belongings:
    """What 1001 has: a new one each time, as an operation may end it."""

    def __init__(
        self, app: App, pbx: FakeAri, http: aiohttp.ClientSession, folder: Path, token: dict[str, str]
    ) -> None:
        self._app = app
        self._http = http
        self._folder = folder
        self._token = token
        self._number = 0
        pbx.far_side = Answers()

    async def make(self, about: Object | None) -> str:
        """Its id, or its name."""
        match about:
            case None:
                return ""
            case Object.CALL | Object.LISTED_CALL:
                return await self._call()
            case Object.RECORDING | Object.LISTED_RECORDING:
                return await self._recording()
            case Object.RECORD | Object.LISTED_RECORD:
                return await self._record()

    async def _call(self) -> str:
        body = {"target": "600", "sdp": OFFER}
        async with self._http.post("/invite", json=body, headers=self._token) as response:
            assert response.status == 201, await response.text()
            call_id = str((await response.json())["callId"])
        await self._until(call_id, CallState.UP)
        return call_id

    async def _record(self) -> str:
        call_id = await self._call()
        self._app.calls.hangup(call_id)
        await self._until(call_id, CallState.ENDED)
        async with asyncio.timeout(10):
            while True:
                async with self._http.get(f"/cdrs/{call_id}", headers=self._token) as response:
                    if response.status == 200:
                        return call_id
                await asyncio.sleep(0.02)

    async def _recording(self) -> str:
        self._number += 1
        sound = a_sound()
        file = self._folder / "sound"
        await asyncio.to_thread(file.write_bytes, sound)
        call_id, digest = f"recorded{self._number}", hashlib.sha256(sound).hexdigest()
        made = Recording(f"{call_id}-rec1", call_id, OWNER, OWNER, "600", time.time(), 0.1, len(sound), digest)
        await self._app.recordings.add(made, file)
        return made.name

    async def _until(self, call_id: str, state: CallState) -> None:
        async with asyncio.timeout(10):
            while self._app.calls.get(call_id).state is not state:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def belongings(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession, tmp_path: Path, sign_in: SignIn
) -> Belongings:
    return Belongings(app, pbx, http, tmp_path, await sign_in(OWNER))


LISTED = (Object.LISTED_CALL, Object.LISTED_RECORD, Object.LISTED_RECORDING)
PROTECTED = [endpoint for endpoint in ENDPOINTS if not endpoint.public]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=[endpoint.name for endpoint in ENDPOINTS])
async def test_strangers(endpoint: Endpoint[Any, Any], asker: Asker, belongings: Belongings) -> None:
    decision = OPERATIONS[endpoint.name]
    about = await belongings.make(decision.about)
    for headers in ({}, {"Authorization": "Bearer a.b.c"}, {"Authorization": "Basic MTAwMTp4"}):
        answer = await asker.ask(endpoint, headers, about)
        if decision.public:
            assert (answer.status, answer.code) != (403, "forbidden")
            assert answer.status != 401 or decision.proof, "a public one asks for no token"
        else:
            assert (answer.status, answer.code) == (401, "unauthorized"), answer.text


@pytest.mark.parametrize("endpoint", PROTECTED, ids=[endpoint.name for endpoint in PROTECTED])
async def test_another_users(
    endpoint: Endpoint[Any, Any], asker: Asker, belongings: Belongings, sign_in: SignIn
) -> None:
    for name, role in OTHERS.items():
        await check_another_users(endpoint, role, await sign_in(name), asker, belongings)


async def check_another_users(
    endpoint: Endpoint[Any, Any], role: str, headers: dict[str, str], asker: Asker, belongings: Belongings
) -> None:
    """Somebody of this role tries it on what is 1001's."""
    decision = OPERATIONS[endpoint.name]
    about = await belongings.make(decision.about)
    answer = await asker.ask(endpoint, headers, about)
    told = f"{role}: {answer.text}"
    if decision.machines or (decision.grant and not may(role, decision.grant) and decision.about is None):
        assert (answer.status, answer.code) == (403, "forbidden"), told
    elif decision.about in LISTED:
        assert answer.status == 200, told
        assert (about in answer.text) is may(role, decision.others), role
    elif decision.about is None:
        assert answer.status != 404 and (answer.status != 401 or decision.proof) and answer.code != "forbidden", told
    elif not may(role, decision.others):
        nothing = await asker.ask(endpoint, headers, NOTHING[decision.about])
        assert answer.status == 404, told
        assert answer.without(about) == nothing.without(NOTHING[decision.about]), f"{role} learns that it exists"
    elif decision.grant and not may(role, decision.grant):
        assert (answer.status, answer.code) == (403, "forbidden"), told
    else:
        assert answer.status not in REFUSALS, told


NOTHING = {Object.CALL: "c000000000000000000", Object.RECORD: "c000000000000000000", Object.RECORDING: "nothing-rec1"}


OF_OWNERS = [endpoint for endpoint in PROTECTED if OPERATIONS[endpoint.name].about]


@pytest.mark.parametrize("endpoint", OF_OWNERS, ids=[endpoint.name for endpoint in OF_OWNERS])
async def test_ones_own(endpoint: Endpoint[Any, Any], asker: Asker, belongings: Belongings, sign_in: SignIn) -> None:
    decision = OPERATIONS[endpoint.name]
    about = await belongings.make(decision.about)
    answer = await asker.ask(endpoint, await sign_in(OWNER), about)
    assert answer.status not in REFUSALS, answer.text
    if decision.about in LISTED:
        assert about in answer.text


# --- the WebSocket ------------------------------------------------------------------------------------

FIELDS: dict[str, dict[str, Any]] = {
    "register": {"user": "1002"},
    "resume": {"session": "s"},
    "offer": {"target": "600", "sdp": OFFER},
    "candidate": {"candidate": {"candidate": "", "sdpMid": "0"}},
    "prepare-media": {"callId": "call", "sdp": OFFER},
    "hold": {"held": True},
    "dtmf": {"digits": "1"},
    "transfer": {"target": "600"},
    "add-party": {"target": "600"},
    "drop-party": {"party": 1},
    "record": {"action": "start"},
    "quality": {"report": {"mos": 4.0}},
    "feedback": {"score": 5},
}
"""What a message needs besides the id of a call."""

ABOUT_CALLS = [kind for kind, decision in MESSAGES.items() if decision.about is Object.CALL]


@pytest.mark.parametrize("registered", [True, False], ids=["registered", "stranger"])
@pytest.mark.parametrize("kind", ABOUT_CALLS)
async def test_a_message_about_another_users_call(
    kind: str, registered: bool, app: App, page: OpenPage, belongings: Belongings, sign_in: SignIn
) -> None:
    """The answer for a call that exists is the answer for one that does not, and the call stands as it stood."""
    for name in [name for name, role in OTHERS.items() if may(role, Grant.RECEIVE)] if registered else ["1002"]:
        call_id = await belongings.make(Object.CALL)
        before = app.calls.get(call_id)
        other = await page()
        if registered:
            token = (await sign_in(name))["Authorization"].removeprefix("Bearer ")
            assert (await other.ask("registered", type="register", user=name, token=token))["type"] == "registered"
        answers = []
        for about in (call_id, NOTHING[Object.CALL]):
            await other.socket.send_json({"type": kind, "callId": about, **FIELDS.get(kind, {})})
            await other.socket.send_json({"type": "ping"})
            told = await other.told("error", "pong")
            answers.append({key: value for key, value in told.items() if key != "callId"} | {"message": ""})
            if told["type"] == "error":
                await other.told("pong")
        assert answers[0] == answers[1]
        assert answers[0]["type"] == "error" or kind in SILENT
        assert app.calls.get(call_id) is before
        await other.socket.close()


SILENT = {"quality"}
"""Not answered at all, whoever sends them."""

WITHOUT_CALLS = [kind for kind, decision in MESSAGES.items() if decision.about is None and not decision.public]


@pytest.mark.parametrize("kind", WITHOUT_CALLS)
async def test_a_message_of_a_stranger(kind: str, page: OpenPage) -> None:
    stranger = await page()
    refused = await stranger.ask(kind, type=kind, **FIELDS.get(kind, {}))
    assert (refused["type"], refused["code"]) == ("error", "unauthorized"), refused


@pytest.mark.parametrize("name", [name for name, role in OTHERS.items() if not may(role, Grant.RECEIVE)])
async def test_who_may_not_be_called_cannot_register(name: str, page: OpenPage, sign_in: SignIn) -> None:
    token = (await sign_in(name))["Authorization"].removeprefix("Bearer ")
    refused = await (await page()).ask("registered", type="register", user=name, token=token)
    assert (refused["type"], refused["code"]) == ("error", "forbidden")


def test_the_table_of_a_message_about_a_call_has_no_exception() -> None:
    assert all(
        decision == Decision(about=Object.CALL, grant=decision.grant)
        for decision in map(MESSAGES.get, ABOUT_CALLS)
        if decision
    )
