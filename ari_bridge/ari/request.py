"""One ARI request: measured, its answer read into a typed struct, its errors ours."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from ari_bridge.ari.transport import PEER, Reply, Transport, path_below_root
from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable

Observer = Callable[[str, float, str], None]
"""Told of each request: the operation (`channels.dial`), seconds, and ok, refused, timeout or unreachable."""

T = TypeVar("T")


class Operation:
    """One operation as ARI describes it: what is sent where."""

    def __init__(self, described: Any) -> None:
        """`described`: an operation of asyncari's swagger layer."""
        self.method: str = described.json["httpMethod"]
        self._path = path_below_root(described.uri)
        places = {parameter["name"]: parameter["paramType"] for parameter in described.json.get("parameters", ())}
        self._in_path = [name for name, place in places.items() if place == "path"]
        self._in_body = {name for name, place in places.items() if place == "body"}
        self._known = places.keys()

    def fill_in(self, parameters: dict[str, Any]) -> tuple[str, dict[str, str], bytes | None]:
        """Its path, query and JSON body with these parameters.

        Raises TypeError where one is not in the description, KeyError where one of the path is missing.
        """
        if not parameters.keys() <= self._known:
            raise TypeError(f"{self.method} {self._path} has no parameters {parameters.keys() - self._known}")
        path, query, body = self._path, {}, {}
        for name in self._in_path:
            path = path.replace(f"{{{name}}}", quote(parameters.pop(name), safe=""))
        for name, value in parameters.items():
            if name in self._in_body:
                body[name] = value
            else:
                query[name] = str(value)
        return path, query, msgspec.json.encode(body) if body else None


class Requests:
    """Sends the operations that asyncari's swagger layer has read from ARI's own description of itself.

    Not by that layer's own call: it writes out each request for a log line that nobody reads, and takes longer for it
    than to send it.
    """

    def __init__(self, transport: Transport, observer: Observer | None) -> None:
        self.legacy = True  # whether commands on silent channels must be woken
        self._transport = transport
        self._operations: dict[str, Operation] | None = None  # by `resource.operation`; None until they are known
        self._observer = observer or (lambda op, seconds, result: None)

    def describe(self, swagger: Any) -> None:
        """Take over what can be asked, from asyncari's `swagger`."""
        self._operations = {
            f"{name}.{nickname}": Operation(described)
            for name, resource in swagger.resources.items()
            for nickname, described in resource.operations.items()
            if not described.json["is_websocket"]
        }

    async def send(self, resource: str, operation: str, **parameters: Any) -> Reply:
        """Raises PeerRefused, PeerTimeout, PeerUnreachable."""
        op = f"{resource}.{operation}"
        if self._operations is None:
            raise PeerUnreachable(PEER, op, "not connected yet")
        known = self._operations.get(op)
        if known is None:
            raise PeerRefused(PEER, op, "this Asterisk's ARI has no such operation")
        path, query, body = known.fill_in(parameters)
        return await self.measure(op, self._transport.send(known.method, path, query, body))

    async def measure(self, op: str, request: Awaitable[Reply]) -> Reply:
        began = time.perf_counter()
        result = "ok"
        try:
            return await request
        except PeerError as error:
            result = _result(error)
            raise
        finally:
            self._observer(op, time.perf_counter() - began, result)


def _result(error: PeerError) -> str:
    if isinstance(error, PeerRefused):
        return "refused"
    return "timeout" if isinstance(error, PeerTimeout) else "unreachable"


def read(reply: Reply, type: type[T]) -> T:
    """The body as `type`. Raises PeerRefused where it is something else."""
    try:
        return msgspec.json.decode(reply.body, type=type)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise PeerRefused(PEER, reply.request, f"its answer is not as documented: {error}", reply.status) from error


async def found(request: Awaitable[object], *, gone: tuple[int, ...] = (404,)) -> bool:
    """False where Asterisk's answer is one of `gone`: there is no such resource. Other errors are raised."""
    try:
        await request
    except PeerRefused as error:
        if error.status in gone:
            return False
        raise
    return True
