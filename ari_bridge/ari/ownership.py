"""Ownership of the ARI application: only one front end serves it at a time, and it notices if it loses it.

Whose a channel is, is told by its name (`ids.py`) and decided in `fsm/inventory.py`.

Asterisk sends an application's events to the client that opened the last WebSocket for it. The previous client is
notified (ApplicationReplaced) and then receives no more events, even after the other one has left; `/applications` and
REST show no difference (seen with 16.28 and 22.10). So:

- The owner puts its name into a global variable. Before another process claims the application it sends a roll call, a
  user event that goes to the client that receives the application's events, and the owner responds in a second global
  variable. A process that was killed does not respond. Its successor with the same state directory has the same name,
  and needs no roll call.
- The owner sends itself a probe, another user event, at intervals. If it does not come back, another client receives
  the application's events, or none does.

Source: ARI `asterisk/variable`, `events/user/{eventName}`.
"""

import asyncio
import os
import re
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from ari_bridge.ari.events import AriEvent
from ari_bridge.ari.http import Reply
from ari_bridge.ari.rest import get_or_none
from ari_bridge.errors import PeerError, PeerRefused
from ari_bridge.tasks import TaskSet

ROLL_CALL, PROBE = "ari-bridge.roll-call", "ari-bridge.probe"
"""The names of the user events."""
ANSWER_TIMEOUT_S = 3.0
"""How long a live front end may take to respond to the roll call, far more than it needs."""
POLL_INTERVAL_S = 0.1
PROBE_TIMEOUT_S = 2.0
"""The interval between two probes, and how long one may take."""
MAX_MISSES = 2
"""How many probes in a row must be lost before the events count as lost: one may be late under load."""

Send = Callable[..., Awaitable[Reply]]
"""`send(op, method, path, query, body)`: one request. Raises PeerError."""

log = structlog.get_logger(__name__)


class ApplicationInUse(PeerError):
    """Another running front end serves the application. `holder`: its process, as it describes itself."""

    code = "application_in_use"

    def __init__(self, app: str, holder: str) -> None:
        super().__init__("Asterisk", f"the application {app}")
        self.app = app
        self.holder = holder

    def __str__(self) -> str:
        return (
            f"the ARI application {self.app} is served by another front end ({self.holder}). "
            "Stop it, or set another ARI_APP here and add a Stasis() line for that to the dialplan."
        )


class Deaf(Exception):
    """We do not receive the events of our application; the text says why, as far as it is known."""


class _Value(msgspec.Struct):
    value: str = ""


class Ownership:
    """Claims the application, and checks that its events reach us.

    Args:
        send: Sends an ARI request.
        app: The name of the application.
        instance: The name of our state directory, which a restarted process shares; "" for a random one.
    """

    def __init__(self, send: Send, app: str, instance: str) -> None:
        self.app = app
        self.instance = instance or secrets.token_hex(8)
        self._send = send
        name = "ARI_BRIDGE_" + re.sub(r"[^0-9A-Za-z]", lambda exists: f"_{ord(exists[0]):02X}", app)
        self._holder, self._answer = f"{name}_HOLDER", f"{name}_ANSWER"
        self._probe = ""  # the id of the probe that is expected
        self._came_back = asyncio.Event()
        self._responses = TaskSet()

    async def check(self) -> None:
        """Raises ApplicationInUse if another front end serves the application, PeerError."""
        holder = await self._get(self._holder)
        if holder in ("", self.instance):
            return
        asker = secrets.token_hex(8)
        if not await self._tell(ROLL_CALL, {"asker": asker}):
            return  # no client has the application
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < deadline:
            asked, _, who = (await self._get(self._answer)).partition(" ")
            if asked == asker:
                raise ApplicationInUse(self.app, who)
            await asyncio.sleep(POLL_INTERVAL_S)
        log.warning(
            "the front end that served our ARI application does not respond: taking the application over", app=self.app
        )

    async def claim(self) -> None:
        """Claim the application. Raises PeerError."""
        await self._set(self._holder, self.instance)

    async def release(self) -> None:
        """Release the application, if it is still ours. Raises PeerError."""
        await self._responses.cancel()
        if await self._get(self._holder) == self.instance:
            await self._set(self._holder, "")

    async def watch(self) -> None:
        """Send probes while the event stream is open. Raises Deaf. Other failures are detected elsewhere."""
        misses = 0
        while True:
            await asyncio.sleep(PROBE_TIMEOUT_S)
            try:
                misses = 0 if await self._probe_events() else misses + 1
            except PeerError as error:
                log.debug("cannot check that our ARI application's events reach us", reason=str(error))
            if misses >= MAX_MISSES:
                raise Deaf("the events of our application go to another client, or to none")

    async def _probe_events(self) -> bool:
        """Whether a probe comes back. Raises PeerError, Deaf."""
        self._probe = secrets.token_hex(8)
        self._came_back.clear()
        if not await self._tell(PROBE, {"probe": self._probe}):
            raise Deaf("Asterisk has no longer our application: another client had replaced us, and has disconnected")
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self._came_back.wait()
        except TimeoutError:
            return False
        return True

    def on_event(self, event: AriEvent) -> bool:
        """Handle the event if it is a probe or a roll call; whether it was one. Quick."""
        if event.type != "ChannelUserevent":
            return False
        variables: dict[str, Any] = event.raw.get("userevent") or {}
        match event.raw.get("eventname"):
            case "ari-bridge.probe":
                if variables.get("probe") == self._probe:
                    self._came_back.set()
            case "ari-bridge.roll-call":
                self._responses.start(self._respond(str(variables.get("asker", ""))[:64]))
            case _:
                return False
        return True

    async def _respond(self, asker: str) -> None:
        log.warning(
            "another front end was started with our ARI application: notifying it that we serve it", app=self.app
        )
        try:
            await self._set(self._answer, f"{asker} process {os.getpid()} on {socket.gethostname()}")
        except PeerError as error:
            log.error("cannot notify the other front end that we serve the ARI application", reason=str(error))

    # --- variables and user events --------------------------------------------------------

    async def _get(self, name: str) -> str:
        query = {"variable": name}
        exists = await get_or_none(self._send("asterisk.getGlobalVar", "GET", "/asterisk/variable", query), _Value)
        return exists.value if exists else ""

    async def _set(self, name: str, value: str) -> None:
        query = {"variable": name, "value": value}
        await self._send("asterisk.setGlobalVar", "POST", "/asterisk/variable", query)

    async def _tell(self, event: str, variables: dict[str, str]) -> bool:
        """Send a user event to the client that receives our events; False if there is none. Raises PeerError."""
        body = msgspec.json.encode({"variables": variables})
        try:
            await self._send("events.userEvent", "POST", f"/events/user/{event}", {"application": self.app}, body)
        except PeerRefused as error:
            if error.status == 404:
                return False
            raise
        return True
