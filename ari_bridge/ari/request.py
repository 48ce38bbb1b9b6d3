"""One ARI request: measured, its answer read into a typed struct, its errors ours."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from ari_bridge.ari.transport import PEER, Reply
from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable

Observer = Callable[[str, float, str], None]
"""Told of each request: the operation (`channels.dial`), seconds, and ok, refused, timeout or unreachable."""

T = TypeVar("T")


class Requests:
    """Sends what asyncari's swagger layer makes of ARI's own description of itself.

    `swagger` is None until the description has been read: then every request raises PeerUnreachable.
    """

    def __init__(self, observer: Observer | None) -> None:
        self.swagger: Any = None
        self.legacy = True  # whether commands on silent channels must be woken
        self._observer = observer or (lambda op, seconds, result: None)

    async def send(self, resource: str, operation: str, **parameters: Any) -> Reply:
        """Raises PeerRefused, PeerTimeout, PeerUnreachable."""
        op = f"{resource}.{operation}"
        if self.swagger is None:
            raise PeerUnreachable(PEER, op, "not connected yet")
        call = self.swagger.get_resource(resource).get_operation(operation)
        if call is None:
            raise PeerRefused(PEER, op, "this Asterisk's ARI has no such operation")
        return await self.measure(op, call(**parameters))

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
