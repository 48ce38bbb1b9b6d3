"""`Idempotency-Key`: a request that is repeated with the same key is carried out once, even if the server is killed.

Theory of operation. Two writes make it safe, each durable before the next step:

1. The key is stored, with the id of the call that the request is about, before anything is done.
2. The response is stored before it is sent.

So a repeat finds one of three things. A stored response: it is sent again (`Idempotent-Replayed: true`). A key
without a response, and its first request in progress in this process: the repeat waits for that one. A key without a
response, and no such request: the process died in between, and the handler finds out by the call whether anything was
done (`Attempt.interrupted`). An exception from `Attempt.starting` says that nothing was done, and frees the key.

A client that disconnects does not stop its request; a server that shuts down leaves it as a kill would. Knows no
route, and not what a request does.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import structlog
from aiohttp import web
from msgspec.structs import replace

from ari_bridge.call_store import Key, KeyStore, KeyStoreUnavailable, StoredResponse
from ari_bridge.errors import CallerError, InvalidRequest, Unavailable
from frontend.http.endpoint import TypedRequest
from frontend.http.request_body import body_of

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
REPEAT_TIMEOUT_S = 20.0
"""How long a repeat waits for the first request. After that it gets 409 `in_progress`."""
KEY_STORE_TIMEOUT_S = 2.0
"""How long a key store that is locked, for example by a backup, is retried."""
KEY_STORE_RETRY_INTERVAL_S = 0.02
MAX_UNSAVED_KEYS = 1000
"""Responses that the key store did not accept, kept in memory."""

log = structlog.get_logger(__name__)

T = TypeVar("T")


class KeyReused(CallerError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This key was used for a different request: use a new one.", field=HEADER)


class InProgress(CallerError):
    """`retry_after`: seconds."""

    code = "in_progress"
    retry_after = 1.0

    def __init__(self) -> None:
        super().__init__("The first request with this key is still in progress: retry.", field=HEADER)


class OutcomeUnknown(CallerError):
    """The server stopped while it carried the request out. `call_id`: the call that shows whether it was done."""

    code = "in_doubt"

    def __init__(self, call_id: str) -> None:
        super().__init__(
            f"The server stopped during the first request with this key, and does not repeat it: check the call "
            f"{call_id} to see whether it was done.",
            field=HEADER,
        )
        self.call_id = call_id


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """`user`: "" if sign-in is off. `call_id`: the call that the request is to place, or is about."""

    user: str
    key: str
    fingerprint: str
    call_id: str


class Attempt:
    """One request, to be carried out, or to be answered with the response to an earlier one.

    Args:
        guard: Stores the response.
        call_id: The call that the request is about; of a new call, the id to use.
        key: The stored key; None for a request without one.
        interrupted: The key was stored by an earlier attempt that left no response: anything may have been done.
        response: The response to an earlier request: to be sent, and nothing is to be done.
    """

    def __init__(
        self,
        guard: "IdempotencyGuard",
        call_id: str,
        *,
        key: Key | None = None,
        interrupted: bool = False,
        response: web.Response | None = None,
    ) -> None:
        self._guard = guard
        self._key = key
        self.call_id = call_id
        self.interrupted = interrupted
        self.response = response
        self.stored: StoredResponse | None = None

    @property
    def started_at(self) -> float:
        """When the first attempt was made, in Unix seconds."""
        return self._key.kept_at if self._key else time.time()

    @property
    def repeatable(self) -> bool:
        """Whether the client can ask again for what it did not receive."""
        return self._key is not None

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Around what carries the request out, which must not wait. Its exception says that nothing was done."""
        try:
            yield
        except Exception:
            if self._key is not None:
                self._guard.free(self._key)
            raise

    async def finish(self, response: StoredResponse) -> web.Response:
        """The response to send, stored by now."""
        if self._key is not None:
            await self._guard.store(replace(self._key, answer=response))
        self.stored = response
        return _response(response, replayed=self.interrupted)


@dataclass(frozen=True, slots=True)
class _Running:
    fingerprint: str
    task: asyncio.Task[Any]
    result: asyncio.Future[StoredResponse]


def fingerprint_of(method: str, path: str, body: bytes) -> str:
    """The same for the same JSON, whatever its spacing and order. Raises InvalidRequest for a body that is not JSON."""
    try:
        content = msgspec.json.encode(msgspec.json.decode(body), order="deterministic") if body else b""
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from error
    return hashlib.sha256(f"{method} {path}\n".encode() + content).hexdigest()


class IdempotencyGuard:
    """The keys in use.

    Args:
        keys: Where keys and responses are stored.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._running: dict[tuple[str, str], _Running] = {}
        self._unsaved: OrderedDict[tuple[str, str], Key] = OrderedDict()
        self._closing = False

    @asynccontextmanager
    async def attempt(self, request: TypedRequest[Any, Any], key: str | None, call_id: str) -> AsyncIterator[Attempt]:
        """What to do for a request, with its key or without one. Raises InvalidRequest, and as `once`."""
        if key is None:
            yield Attempt(self, call_id)
            return
        raw = request.raw
        fingerprint = fingerprint_of(raw.method, raw.path, body_of(raw))
        async with self.once(KeyedRequest(request.user or "", key, fingerprint, call_id)) as attempt:
            yield attempt

    @asynccontextmanager
    async def once(self, request: KeyedRequest) -> AsyncIterator[Attempt]:
        """Raises KeyReused, InProgress, Unavailable, TooMany."""
        name = request.user, request.key
        if first := self._running.get(name):
            yield Attempt(self, request.call_id, response=await _response_of(first, request))
            return
        task = asyncio.current_task()
        assert task is not None
        running = _Running(request.fingerprint, task, asyncio.get_running_loop().create_future())
        self._running[name] = running
        try:
            attempt = await self._take(request)
            yield attempt
            if attempt.stored is not None:
                running.result.set_result(attempt.stored)
        except asyncio.CancelledError:
            if not self._closing:
                raise
            task.uncancel()
            error = Unavailable("the server is being replaced", retry_after=1.0)
            running.result.set_exception(error)
            raise error from None
        except BaseException as error:
            running.result.set_exception(error)
            raise
        finally:
            del self._running[name]
            if not running.result.done():
                running.result.cancel()
            elif not running.result.cancelled():
                running.result.exception()  # seen, even if no repeat waits for it

    async def close(self) -> None:
        """Leave what is in progress as a kill would leave it: a repeat finds it in the next process."""
        self._closing = True
        running = list(self._running.values())
        for one in running:
            one.task.cancel()
        await asyncio.gather(*(one.result for one in running), return_exceptions=True)

    # --- for attempts ---------------------------------------------------------------------

    async def store(self, key: Key) -> None:
        name = key.user, key.key
        try:
            await _retry_briefly(lambda: self._keys.put(key))
        except KeyStoreUnavailable as error:
            log.warning("the response to a keyed request is kept in memory only", call=key.call_id, reason=error.reason)
            self._unsaved[name] = key
            if len(self._unsaved) > MAX_UNSAVED_KEYS:
                self._unsaved.popitem(last=False)
        else:
            self._unsaved.pop(name, None)

    def free(self, key: Key) -> None:
        """Nothing was done: the key may be used again."""
        with suppress(KeyStoreUnavailable):  # it stays then, and a repeat finds that nothing was done
            self._keys.drop(key)

    async def _take(self, request: KeyedRequest) -> Attempt:
        """Returns at once after storing a new key: nothing may come between that and what is done for it."""
        key, new = await _retry_briefly(lambda: self._key_for(request))
        if key.answer:
            attempt = Attempt(self, key.call_id, key=key, response=_response(key.answer, replayed=True))
            attempt.stored = key.answer
            return attempt
        return Attempt(self, key.call_id, key=key, interrupted=not new)

    def _key_for(self, request: KeyedRequest) -> tuple[Key, bool]:
        """The stored key, and whether it is new."""
        stored = self._unsaved.get((request.user, request.key)) or self._keys.get(request.user, request.key)
        if stored is None:
            key = Key(request.user, request.key, request.fingerprint, request.call_id, time.time())
            self._keys.put(key)
            return key, True
        if stored.fingerprint != request.fingerprint:
            raise KeyReused
        return stored, False


async def _response_of(first: _Running, repeat: KeyedRequest) -> web.Response:
    """Raises KeyReused, InProgress, and what the first request raises."""
    if first.fingerprint != repeat.fingerprint:
        raise KeyReused
    await asyncio.wait({first.result}, timeout=REPEAT_TIMEOUT_S)
    if not first.result.done() or first.result.cancelled():
        raise InProgress
    return _response(first.result.result(), replayed=True)


def _response(stored: StoredResponse, *, replayed: bool) -> web.Response:
    response = web.Response(status=stored.status, text=stored.body, content_type=stored.content_type)
    if stored.tag:
        response.headers["ETag"] = stored.tag
    if replayed:
        response.headers[REPLAYED] = "true"
    return response


async def _retry_briefly(act: Callable[[], T]) -> T:
    """Raises KeyStoreUnavailable, and what `act` raises."""
    end = time.monotonic() + KEY_STORE_TIMEOUT_S
    while True:
        try:
            return act()
        except KeyStoreUnavailable:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(KEY_STORE_RETRY_INTERVAL_S)
