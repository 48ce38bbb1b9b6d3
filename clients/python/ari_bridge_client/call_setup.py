"""From a call's offer to its SDP answer, over as many connections as that takes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ari_bridge_client.call import Call
from ari_bridge_client.ended_call_lookup import EndedCallLookup
from ari_bridge_client.errors import ClientError, ConnectionLost, Refused
from ari_bridge_client.http_client import HttpClient
from ari_bridge_client.retry import backoff, wait_after
from ari_bridge_protocol.messages import CallSummary

SETUP_TIMEOUT_S = 30.0
"""How long a call is requested again if the connection is lost before its SDP answer."""
_MAX_PAUSE_S = 1.0


class SetupClient(Protocol):
    """What the set-up of a call needs of its client."""

    http: HttpClient

    @property
    def live_calls(self) -> Sequence[CallSummary]: ...

    @property
    def connection_count(self) -> int: ...

    @property
    def connection_losses(self) -> int: ...

    async def wait_connected(self, timeout: float, *, after: int) -> None:  # noqa: ASYNC109
        """As `Client.wait_connected`."""


class CallSetup:
    """
    Args:
        client: Whose calls these are.
        ended_calls: Ends the calls that have ended before their answer came.
        reconnects: Whether the client reconnects now.
    """

    def __init__(self, client: SetupClient, ended_calls: EndedCallLookup, *, reconnects: Callable[[], bool]) -> None:
        self._client = client
        self._ended_calls = ended_calls
        self._reconnects = reconnects

    async def run(self, call: Call, offer: dict[str, Any]) -> None:
        """Send the offer, again if the connection is lost before the SDP answer: with the same id, so that there is
        never a second call. Raises as `Client.call` does; a loss of the connection only after SETUP_TIMEOUT_S.
        """
        client = self._client
        deadline, losses = time.monotonic() + SETUP_TIMEOUT_S, client.connection_losses
        for pause in backoff():
            connections = client.connection_count
            try:
                await call.send_offer(**offer)
                return await call.connect_media()
            except ConnectionLost:
                if not self._reconnects() or time.monotonic() > deadline:
                    raise
            except Refused as error:  # a server that was just started may not have reached the PBX yet
                if client.connection_losses == losses or error.code != "unavailable" or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(min(wait_after(error, pause), _MAX_PAUSE_S))
                continue
            await client.wait_connected(max(0.1, deadline - time.monotonic()), after=connections)
            if "target" in offer and await self._is_known(call):
                offer = {}  # new media for the call that the lost offer has become
            if call.ended:
                return None

    async def _is_known(self, call: Call) -> bool:
        """Whether the server knows the call that was requested; if that has ended, the call here ends too."""
        if any(one.call_id == call.id for one in self._client.live_calls):
            return True
        try:
            found = await self._client.http.get_call(call.id)
        except ClientError as error:
            return not (isinstance(error, Refused) and error.code == "unknown_call")
        if found.state == "ended":
            await self._ended_calls.look_up(call)
        return True
