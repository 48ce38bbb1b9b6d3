"""How calls ended that were live when the connection was lost, and are not live any more: asked over HTTP."""

import asyncio
import time

from ari_bridge_client.call import Call
from ari_bridge_client.errors import ClientError
from ari_bridge_client.http_client import HttpClient
from ari_bridge_client.retry import backoff, wait_after

LOOKUP_TIMEOUT_S = 3.0
RENEW_TIMEOUT_S = 30.0
_MAX_PAUSE_S = 1.0


class EndedCallLookup:
    """Ends each call here as it has ended on the server.

    Args:
        http: Where to ask.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by call id

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def forget(self, call: Call) -> None:
        self._tasks.pop(call.id, None)

    def look_up_soon(self, call: Call) -> None:
        """As `look_up`, in a task; once for each call."""
        if call.id not in self._tasks:
            self._tasks[call.id] = asyncio.create_task(self.look_up(call))

    async def look_up(self, call: Call) -> None:
        """End the call with its outcome; with None if the server does not know it, or cannot be reached."""
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                found = await self._http.get_call(call.id)
        except (ClientError, TimeoutError):
            call.mark_ended(None, "It ended while the connection was lost.", accepted=False)
            return
        if found.state not in ("ended", "ending") and call.media and "accepted" not in call.state_history:
            self._tasks[call.id] = asyncio.create_task(self._answer_again(call))
            return
        reason = found.cause.text if found.cause else ""
        accepted = found.answered_at is not None
        call.mark_ended(found.left or found.outcome, reason, accepted=accepted, at=found.ended_at or 0.0)

    async def _answer_again(self, call: Call) -> None:
        """It rings again: its server died after the SDP answer, and before the caller was answered."""
        deadline = time.monotonic() + RENEW_TIMEOUT_S
        for pause in backoff():
            try:
                return await call.renew_media()
            except ClientError as error:
                if call.ended:
                    return None
                if time.monotonic() > deadline:
                    return call.mark_ended(None, str(error), accepted=False)
                await asyncio.sleep(min(wait_after(error, pause), _MAX_PAUSE_S))
