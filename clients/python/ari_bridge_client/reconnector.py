"""Reconnects until it works, with growing pauses, in one task at a time."""

import asyncio
from collections.abc import Awaitable, Callable

from ari_bridge_client.errors import ClientError, Refused
from ari_bridge_client.retry import backoff, wait_after


class Reconnector:
    """
    Args:
        reconnect: Makes one attempt; False: the new connection was lost again at the same moment. Raises ClientError.
        on_done: Called after the last attempt, without an error, or with that by which the server has locked us out.
    """

    def __init__(self, reconnect: Callable[[], Awaitable[bool]], on_done: Callable[[Refused | None], None]) -> None:
        self._reconnect = reconnect
        self._on_done = on_done
        self._task: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        return self._task is not None

    def start(self, after: float) -> None:
        """Begin in `after` seconds, unless it is active already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(after), name="client-reconnector")

    async def cancel(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, after: float) -> None:
        await asyncio.sleep(after)
        locked_out: Refused | None = None
        for pause in backoff():
            try:
                if await self._reconnect():
                    break
            except ClientError as error:
                if isinstance(error, Refused) and error.code == "unauthorized":
                    locked_out = error
                    break
                await asyncio.sleep(wait_after(error, pause))
        self._task = None
        self._on_done(locked_out)
