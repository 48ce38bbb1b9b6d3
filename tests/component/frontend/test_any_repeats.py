"""Whatever is asked in whatever order, and wherever the server dies: with one key at most one call is placed."""

import asyncio
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ari_bridge.call_store import Key, StoredResponse
from ari_bridge.call_store.idempotency_keys import CREATE, SqliteKeys
from ari_bridge.errors import Unavailable
from frontend.http.idempotency import REPLAYED, IdempotencyGuard, KeyedRequest, KeyReused

KEYS, BODIES = ("k1", "k2"), ("a", "b")


class Killed(BaseException):
    """The process is no more: nothing of it does anything from now on."""


@dataclass
class Process:
    """One life of the server. It dies at its step number `dies_at`, counted from 1; 0: never."""

    dies_at: int
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.dies_at and self.steps >= self.dies_at:
            raise Killed


@dataclass
class Outside:
    """What outlives a process: the calls that the PBX was asked for, and those that the call store has."""

    dialled: list[str] = field(default_factory=list)
    remembered: set[str] = field(default_factory=set)
    given: int = 0  # call ids

    def new_id(self) -> str:
        self.given += 1
        return f"call{self.given}"


class DyingKeys(SqliteKeys):
    """The real ones, in a process that may die before and after each."""

    def __init__(self, connection: sqlite3.Connection, process: Process) -> None:
        super().__init__(lambda: connection, lambda error: None)
        self._process = process

    def get(self, user: str, key: str) -> Key | None:
        self._process.step()
        return super().get(user, key)

    def put(self, key: Key) -> None:
        self._process.step()
        super().put(key)
        self._process.step()

    def drop(self, key: Key) -> None:
        self._process.step()
        super().drop(key)
        self._process.step()


@dataclass
class Placing:
    """As a call is placed: remembered first, then dialled, and answered later."""

    outside: Outside
    process: Process
    refused: bool

    def begin(self, call_id: str) -> None:
        self.process.step()
        if self.refused:
            raise Unavailable("for the test", retry_after=1.0)
        assert call_id not in self.outside.remembered
        self.outside.remembered.add(call_id)
        self.process.step()
        self.outside.dialled.append(call_id)
        self.process.step()

    async def answer(self, call_id: str) -> StoredResponse:
        await asyncio.sleep(0)
        self.process.step()
        return StoredResponse(201, f"{call_id} answered in step {self.process.steps}")

    def has_survived(self, call_id: str) -> bool:
        return call_id in self.outside.remembered


@dataclass(frozen=True)
class Request:
    key: str
    body: str
    refused: bool  # the engine does not take a call now


@dataclass(frozen=True)
class Life:
    """What one process is asked, those of one group at once."""

    groups: list[list[Request]]
    dies_at: int


requests = st.builds(Request, st.sampled_from(KEYS), st.sampled_from(BODIES), st.booleans())
lives = st.builds(Life, st.lists(st.lists(requests, min_size=1, max_size=4), max_size=4), st.integers(0, 25))


@given(st.lists(lives, max_size=6))
@settings(max_examples=300, deadline=None)
def test_any_order_of_repeats_deaths_and_starts(history: list[Life]) -> None:
    with TemporaryDirectory() as directory:
        asyncio.run(played(history, Path(directory) / "keys.sqlite3"))


async def played(history: list[Life], file: Path) -> None:
    outside = Outside()
    told: dict[str, tuple[str, str]] = {}  # by key: the body, and the answer that somebody was given
    for life in history:
        connection = sqlite3.connect(file, isolation_level=None)
        for statement in CREATE:
            connection.execute(statement)
        process = Process(life.dies_at)
        repeats = IdempotencyGuard(DyingKeys(connection, process))
        try:
            for group in life.groups:
                await asyncio.gather(*(asked(one, repeats, outside, process, told) for one in group))
        except Killed:
            pass
        await repeats.close()
        connection.close()
        of_key: dict[str, set[str]] = {}
        for key, (_, answer) in told.items():
            of_key.setdefault(key, set()).add(answer.split()[0])
        assert len(outside.dialled) == len(set(outside.dialled))
        assert len(outside.dialled) <= len(KEYS), "one call a key at most"
        assert all(len(calls) == 1 for calls in of_key.values())


async def asked(
    request: Request, repeats: IdempotencyGuard, outside: Outside, process: Process, told: dict[str, tuple[str, str]]
) -> None:
    before = told.get(request.key)
    try:
        placing = Placing(outside, process, request.refused)
        async with repeats.once(KeyedRequest("alice", request.key, request.body, outside.new_id())) as attempt:
            if (response := attempt.response) is None:
                if not (attempt.interrupted and placing.has_survived(attempt.call_id)):
                    with attempt.starting():
                        placing.begin(attempt.call_id)
                response = await attempt.finish(await placing.answer(attempt.call_id))
        answer, replayed = response.text or "", REPLAYED in response.headers
    except Unavailable:
        assert before is None, "an answer that was given is given again, whatever the engine takes now"
        return
    except KeyReused:
        return
    if before:
        assert replayed
        assert before == (request.body, answer), "the same answer, to the same body alone"
    told.setdefault(request.key, (request.body, answer))
    assert told[request.key] == (request.body, answer)
