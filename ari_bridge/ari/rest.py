"""Sending ARI requests: queued by priority, measured, with typed responses and our errors."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog

from ari_bridge.ari.circuit_breaker import SLOW_S, CircuitBreaker
from ari_bridge.ari.http import PEER, Reply, Transport
from ari_bridge.ari.operations import Operation
from ari_bridge.ari.priority_semaphore import Priority, PrioritySemaphore
from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable, Unavailable
from ari_bridge.outcomes import Detail

Observer = Callable[[str, float, str], None]
"""Called after each request with the operation (`channels.dial`), its duration in seconds including the wait in the
queue, and ok, refused, timeout or unreachable."""

PRIORITIES = {
    "channels.hangup": Priority.RELEASE,
    "channels.continueInDialplan": Priority.RELEASE,
    "applications.unsubscribe": Priority.RELEASE,
    "bridges.destroy": Priority.RELEASE,
    "channels.create": Priority.NEW,
    "bridges.createWithId": Priority.NEW,
}
"""All others are for existing calls: a new media leg too, as it may be that of a client that reconnects."""
UNQUEUED = frozenset({"channels.getChannelVar"})
"""Sent without a permit: the wake-up of a command that has one already."""

DENIED_STATUSES = (401, 403)
"""HTTP statuses that mean: the password or the rights of our ARI user were changed."""
DENIED_RETRY_INTERVAL_S = 2.0
"""Between checks whether Asterisk accepts our credentials again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that Asterisk has not answered yet, and requests that wait in our queue."""

    under_way: int
    waiting: int


T = TypeVar("T")


class RestClient:
    """Sends the operations that asyncari's swagger layer has read from ARI's own description.

    asyncari's own call is not used: it formats each request for a log line, which takes longer than sending it.

    Args:
        transport: the HTTP connection.
        observer: called after each request.
        probe: sends a small request past the queue, to see whether Asterisk responds again; raises PeerError.
        queue_timeout: seconds that a request may wait in the queue; one that releases something waits without limit.
    """

    def __init__(
        self,
        transport: Transport,
        observer: Observer | None,
        probe: Callable[[], Awaitable[object]],
        queue_timeout: float,
    ) -> None:
        self.legacy = True  # whether commands on silent channels need a wake-up
        self._transport = transport
        self._operations: dict[str, Operation] | None = None  # by `resource.operation`; None until they are known
        self._semaphore = PrioritySemaphore()
        self._breaker = CircuitBreaker()
        self._observer = observer or (lambda op, seconds, result: None)
        self._probe = probe
        self._queue_timeout = queue_timeout
        self._probing: asyncio.Task[None] | None = None
        self.on_server_error: Callable[[], None] = lambda: None
        self._denied = ""
        self._retrying: asyncio.Task[None] | None = None

    @property
    def described(self) -> bool:
        return self._operations is not None

    def describe(self, swagger: Any) -> None:
        """Take over the operations of asyncari's `swagger`."""
        self._operations = {
            f"{name}.{nickname}": Operation(described)
            for name, resource in swagger.resources.items()
            for nickname, described in resource.operations.items()
            if not described.json["is_websocket"]
        }

    def takes(self, resource: str, operation: str, parameter: str) -> bool:
        """Whether this Asterisk's operation has the parameter."""
        known = (self._operations or {}).get(f"{resource}.{operation}")
        return known is not None and known.takes(parameter)

    async def send(self, resource: str, operation: str, **parameters: Any) -> Reply:
        """Send an operation. Raises PeerRefused, PeerTimeout, PeerUnreachable (it was not sent)."""
        op = f"{resource}.{operation}"
        if self._operations is None:
            raise PeerUnreachable(PEER, op, "not connected yet")
        known = self._operations.get(op)
        if known is None:
            raise PeerRefused(PEER, op, "this Asterisk's ARI has no such operation")
        path, query, body = known.fill_in(parameters)
        if op in UNQUEUED:
            return await self.measure(op, self._transport.send(known.method, path, query, body))
        return await self.measure(op, self._queued(op, partial(self._transport.send, known.method, path, query, body)))

    async def measure(self, op: str, request: Awaitable[Reply]) -> Reply:
        began = time.perf_counter()
        result = "ok"
        try:
            reply = await request
        except PeerError as error:
            result = _result(error)
            if isinstance(error, PeerRefused) and error.status in DENIED_STATUSES:
                self._on_denied(str(error))
            elif isinstance(error, PeerRefused) and error.status >= 500:
                self.on_server_error()
            raise
        else:
            self._on_accepted()
            return reply
        finally:
            self._observer(op, time.perf_counter() - began, result)

    @property
    def load(self) -> Load:
        return Load(self._semaphore.under_way, self._semaphore.waiting)

    def unavailable(self) -> Unavailable | None:
        """Why no new call should be started; None if it may."""
        if self._denied:
            return Unavailable(
                f"Asterisk refuses the server ({self._denied})", DENIED_RETRY_INTERVAL_S, Detail.PBX_REFUSES
            )
        if self._breaker.closed:
            return None
        # The probe takes a moment, and a late response counts as none.
        seconds = self._breaker.until_probe(time.monotonic()) + SLOW_S
        return Unavailable(f"Asterisk does not keep up ({self._breaker.reason})", seconds)

    def connected(self) -> None:
        """Asterisk has just answered every request of a connect."""
        self._stop_probing()
        self._breaker.reset(time.monotonic())

    @property
    def denied(self) -> str:
        """Why Asterisk rejects our credentials, although it accepted them before; "" if it does not."""
        return self._denied

    def _on_denied(self, reason: str) -> None:
        if not self._denied:
            log.error("Asterisk rejects our credentials: rejecting new calls until it accepts them", reason=reason)
            self._retrying = asyncio.create_task(self._retry_until_accepted(), name="ARI sign-in")
        self._denied = reason

    def _on_accepted(self) -> None:
        if self._denied:
            log.warning("Asterisk accepts our credentials again")
            self._denied = ""

    async def _retry_until_accepted(self) -> None:
        while self._denied:
            await asyncio.sleep(DENIED_RETRY_INTERVAL_S)
            try:
                await self._probe()
            except PeerError as error:
                log.debug("Asterisk still rejects our credentials", reason=str(error))

    async def close(self) -> None:
        if self._retrying:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)
        if probing := self._stop_probing():
            await asyncio.gather(probing, return_exceptions=True)

    async def _queued(self, op: str, request: Callable[[], Awaitable[Reply]]) -> Reply:
        priority = PRIORITIES.get(op, Priority.STANDING)
        self._refuse_new(op, priority)
        began = time.monotonic()
        if not self._semaphore.try_acquire(priority):
            await self._wait(op, priority)
        try:
            self._refuse_new(op, priority)  # it may have opened meanwhile
            reply = await request()
        except PeerTimeout:
            self._ended(began, timed_out=True)
            raise
        except PeerRefused:
            self._ended(began)
            raise
        else:
            self._ended(began)
            return reply
        finally:
            self._semaphore.release()

    def _refuse_new(self, op: str, priority: Priority) -> None:
        if priority is Priority.NEW and not self._breaker.closed:
            raise PeerUnreachable(PEER, op, f"the circuit breaker is open: {self._breaker.reason}")

    async def _wait(self, op: str, priority: Priority) -> None:
        """Raises PeerUnreachable if it gets no permit in time."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(None if priority is Priority.RELEASE else self._queue_timeout):
                await self._semaphore.acquire(priority)
        except TimeoutError:
            self._ended(began)
            reason = (
                f"not sent, for {self._semaphore.under_way} others were still under way after {self._queue_timeout:g} s"
            )
            raise PeerUnreachable(PEER, op, reason) from None

    def _ended(self, began: float, *, timed_out: bool = False) -> None:
        breaker, semaphore = self._breaker, self._semaphore
        was_closed = breaker.closed
        at_once = semaphore.under_way + semaphore.waiting
        breaker.ended(began, time.monotonic(), timed_out=timed_out, at_once=at_once)
        if was_closed and not breaker.closed:
            log.error("circuit breaker opened: rejecting new calls", reason=breaker.reason)
            self._probing = asyncio.create_task(self._probe_until_closed(), name="ARI probe")

    async def _probe_until_closed(self) -> None:
        while not self._breaker.closed:
            await asyncio.sleep(self._breaker.until_probe(time.monotonic()))
            began = time.monotonic()
            try:
                await self._probe()
            except Exception as error:
                log.warning("circuit breaker stays open: Asterisk still does not respond in time", reason=str(error))
                answered = False
            else:
                answered = time.monotonic() - began < SLOW_S
            self._breaker.probed(time.monotonic(), answered=answered)
        log.warning("circuit breaker closed: accepting new calls")

    def _stop_probing(self) -> asyncio.Task[None] | None:
        probing, self._probing = self._probing, None
        if probing is not None:
            probing.cancel()
        return probing


def _result(error: PeerError) -> str:
    if isinstance(error, PeerRefused):
        return "refused"
    return "timeout" if isinstance(error, PeerTimeout) else "unreachable"


def read(reply: Reply, type: type[T]) -> T:
    """The body as `type`. Raises PeerRefused if it is something else."""
    try:
        return msgspec.json.decode(reply.body, type=type)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise PeerRefused(PEER, reply.request, f"its answer is not as documented: {error}", reply.status) from error


async def get_or_none(request: Awaitable[Reply], type: type[T]) -> T | None:
    """The resource; None if it does not exist."""
    try:
        return read(await request, type)
    except PeerRefused as error:
        if error.status == 404:
            return None
        raise


async def exists(request: Awaitable[object], *, gone: tuple[int, ...] = (404,)) -> bool:
    """Whether the resource exists: False if Asterisk responds with a status in `gone`. Raises other errors."""
    try:
        await request
    except PeerRefused as error:
        if error.status in gone:
            return False
        raise
    return True
