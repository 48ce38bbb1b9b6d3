"""`Idempotency-Key`: what is asked again with the same key is done once, also where the server is killed meanwhile.

A key is kept before anything is done for it, and its answer before anybody is told. So whoever comes later finds
either the answer, or what was begun, or that nothing was. Knows no route, and not what is done.
"""

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec
import structlog
from aiohttp import web
from msgspec.structs import replace
from multidict import MultiMapping

from ari_bridge import tasks
from ari_bridge.call_store import Key, KeyStore, KeyStoreUnavailable, StoredResponse
from ari_bridge.errors import CallerError, InvalidRequest, Unavailable

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
REPEAT_SECONDS = 20.0
"""How long a repeat waits for what is under way. It comes again then."""
PATIENCE_SECONDS = 2.0
"""For a file that is locked for a moment, by a backup perhaps."""
PAUSE_SECONDS = 0.02
MOST_UNKEPT = 1000

_KEY = re.compile(r"[ -~]{1,255}")

log = structlog.get_logger(__name__)

T = TypeVar("T")


class KeyReused(CallerError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This key was used for another request: take a new one.", field=HEADER)


class InProgress(CallerError):
    """`retry_after`: seconds."""

    code = "in_progress"
    retry_after = 1.0

    def __init__(self) -> None:
        super().__init__("The first request with this key is still under way: ask again.", field=HEADER)


class OutcomeUnknown(CallerError):
    """The server died just while it was done. `call_id`: of the call that shows whether it was."""

    code = "in_doubt"

    def __init__(self, call_id: str) -> None:
        super().__init__(
            f"The server ended in the middle of the first request with this key, and does not do it again: see by "
            f"the call {call_id} whether it was done.",
            field=HEADER,
        )
        self.call_id = call_id


@dataclass(frozen=True, slots=True)
class Keyed:
    """`user`: "" where nobody signs in. `call_id`: what is begun now would make this call, or act on it."""

    user: str
    key: str
    fingerprint: str
    call_id: str


class IdempotentOperation(Protocol):
    """What is to be done once."""

    def begin(self, call_id: str) -> None:
        """Do it, without waiting. An exception says that nothing was done, and that the key may be used anew."""

    async def answer(self, call_id: str) -> StoredResponse:
        """What came of it. An exception leaves the key as it is: the next repeat asks `found`."""

    async def found(self, key: Key) -> StoredResponse | None:
        """What came of it where nobody has its answer, as the server died. None: nothing was done."""

    def abandon(self, call_id: str) -> None:
        """Nobody will have the answer, nor ask for it again: there is no key."""


def key_of(headers: MultiMapping[str]) -> str | None:
    """Raises InvalidRequest."""
    keys = headers.getall(HEADER, [])
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise InvalidRequest(f"{HEADER} is given once, with 1 to 255 printable ASCII characters.", field=HEADER)
    return keys[0]


def fingerprint_of(method: str, path: str, body: bytes) -> str:
    """The same for the same JSON, however it is written. Raises InvalidRequest: it is none."""
    try:
        content = msgspec.json.encode(msgspec.json.decode(body), order="deterministic") if body else b""
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from error
    return hashlib.sha256(f"{method} {path}\n".encode() + content).hexdigest()


def _response(answer: StoredResponse, *, replayed: bool = False) -> web.Response:
    response = web.Response(status=answer.status, text=answer.body, content_type=answer.content_type)
    if answer.tag:
        response.headers["ETag"] = answer.tag
    if replayed:
        response.headers[REPLAYED] = "true"
    return response


class IdempotencyGuard:
    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._running: dict[tuple[str, str], tuple[str, asyncio.Task[tuple[StoredResponse, bool]]]] = {}
        self._unkept: OrderedDict[tuple[str, str], Key] = OrderedDict()  # answered, and the file did not take it

    async def respond(
        self, request: web.Request, user: str | None, call_id: str, work: IdempotentOperation
    ) -> web.Response:
        """The answer to a request, which has a key or has none. Raises InvalidRequest, and as `once`."""
        name = key_of(request.headers)
        if name is None:
            work.begin(call_id)
            try:
                return _response(await work.answer(call_id))
            except BaseException:
                work.abandon(call_id)
                raise
        fingerprint = fingerprint_of(request.method, request.path, await request.read())
        answer, replayed = await self.once(Keyed(user or "", name, fingerprint, call_id), work)
        return _response(answer, replayed=replayed)

    async def once(self, keyed: Keyed, work: IdempotentOperation) -> tuple[StoredResponse, bool]:
        """The answer, and whether it is one that was given, or begun, before.

        What is begun goes on without the one who asked: a repeat may come, and the call is there then.
        Raises KeyReused, InProgress, Unavailable, TooMany, and what `work` raises.
        """
        name = keyed.user, keyed.key
        if first := self._running.get(name):
            fingerprint, task = first
            if fingerprint != keyed.fingerprint:
                raise KeyReused
            await asyncio.wait({task}, timeout=REPEAT_SECONDS)
            if not task.done():
                raise InProgress
            return _result(task)[0], True
        task = asyncio.get_running_loop().create_task(self._do(keyed, work))
        self._running[name] = keyed.fingerprint, task
        task.add_done_callback(lambda _: self._running.pop(name, None))
        await asyncio.wait({task})
        return _result(task)

    async def close(self) -> None:
        """What is under way is left as a kill would leave it: a repeat finds it at the next process."""
        await tasks.cancel(*(task for _, task in self._running.values()))

    async def _do(self, keyed: Keyed, work: IdempotentOperation) -> tuple[StoredResponse, bool]:
        key, new = await _patiently(lambda: self._take(keyed, work))
        if key.answer:
            return key.answer, True
        answer = None if new else await work.found(key)
        if answer is None:
            if not new:
                self._begin(key, work)
            answer = await work.answer(key.call_id)
        await self._keep(replace(key, answer=answer))
        return answer, not new

    def _take(self, keyed: Keyed, work: IdempotentOperation) -> tuple[Key, bool]:
        """The key, and whether it is new: then it is kept, and its work begun. Nothing comes in between."""
        kept = self._unkept.get((keyed.user, keyed.key)) or self._keys.get(keyed.user, keyed.key)
        if kept is None:
            key = Key(keyed.user, keyed.key, keyed.fingerprint, keyed.call_id, time.time())
            self._keys.put(key)
            self._begin(key, work)
            return key, True
        if kept.fingerprint != keyed.fingerprint:
            raise KeyReused
        return kept, False

    def _begin(self, key: Key, work: IdempotentOperation) -> None:
        try:
            work.begin(key.call_id)
        except Exception:
            with suppress(KeyStoreUnavailable):  # it stays then, and a repeat finds that nothing was done
                self._keys.drop(key)
            raise

    async def _keep(self, key: Key) -> None:
        name = key.user, key.key
        try:
            await _patiently(lambda: self._keys.put(key))
        except KeyStoreUnavailable as error:
            log.warning(
                "the answer to a request with a key is kept in memory alone", call=key.call_id, reason=error.reason
            )
            self._unkept[name] = key
            if len(self._unkept) > MOST_UNKEPT:
                self._unkept.popitem(last=False)
        else:
            self._unkept.pop(name, None)


async def _patiently(act: Callable[[], T]) -> T:
    """Raises KeyStoreUnavailable, and what it raises."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except KeyStoreUnavailable:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(PAUSE_SECONDS)


def _result(task: asyncio.Task[tuple[StoredResponse, bool]]) -> tuple[StoredResponse, bool]:
    if task.cancelled():
        raise Unavailable("the server is being replaced", retry_after=1.0)
    return task.result()
