"""Whose the ARI application is: one front end's at a time, and never that of one who is deaf without knowing it.

Asterisk sends an application's events to the client that opened the last WebSocket for it. The one before is notified
(ApplicationReplaced) and then receives no more events, also when the other one has left; `/applications` and REST show
no difference (seen with 16.28 and 22.10). So:

- who holds the application says so in a global variable, and is asked before another takes it: a user event goes to
  whoever hears the application, and one who hears it answers in another variable. A process that was killed answers
  nothing; one that comes after it with the same state directory knows it by its name and asks nobody.
- who holds it sends itself a user event now and then. One that does not come back means that somebody else hears the
  application, or nobody.

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
"""The user events: who hears this application, and do I."""
ANSWER_TIMEOUT_S = 3.0
"""How long a live front end may take to answer the roll call, far more than it does."""
POLL_INTERVAL_S = 0.1
PROBE_TIMEOUT_S = 2.0
"""Between two probes, and how long one may take."""
MAX_MISSES = 2
"""So many probes in a row that do not come back mean that we are deaf: one may be late in a busy hour."""

Send = Callable[..., Awaitable[Reply]]
"""`send(op, method, path, query, body)`: one request. Raises PeerError."""

log = structlog.get_logger(__name__)


class ApplicationInUse(PeerError):
    """Another front end that lives serves the application. `holder`: its process, as it says itself."""

    code = "application_in_use"

    def __init__(self, app: str, holder: str) -> None:
        super().__init__("Asterisk", f"the application {app}")
        self.app = app
        self.holder = holder

    def __str__(self) -> str:
        return (
            f"the ARI application {self.app} is served by another front end ({self.holder}). "
            "Stop that one, or give this one an ARI_APP of its own, and the dialplan a Stasis() line for it."
        )


class Deaf(Exception):
    """The events of our application do not come to us; the text says why, as far as it can be seen."""


class _Value(msgspec.Struct):
    value: str = ""


class Ownership:
    """`instance`: the name of the state directory that we serve from, which outlives the process; "" for one that has
    none: it asks, and is asked, as a stranger.
    """

    def __init__(self, send: Send, app: str, instance: str) -> None:
        self.app = app
        self.instance = instance or secrets.token_hex(8)
        self._send = send
        name = "ARI_BRIDGE_" + re.sub(r"[^0-9A-Za-z]", lambda exists: f"_{ord(exists[0]):02X}", app)
        self._holder, self._answer = f"{name}_HOLDER", f"{name}_ANSWER"
        self._probe = ""  # what is waited for
        self._came_back = asyncio.Event()
        self._answers = TaskSet()

    async def check(self) -> None:
        """Raises ApplicationInUse where another front end serves it, PeerError."""
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

    async def take(self) -> None:
        """Claim the application. Raises PeerError."""
        await self._set(self._holder, self.instance)

    async def leave(self) -> None:
        """Release the application, if it is still ours. Raises PeerError."""
        await self._answers.cancel()
        if await self._get(self._holder) == self.instance:
            await self._set(self._holder, "")

    async def watch(self) -> None:
        """While the event stream is open. Raises Deaf. Other failures of Asterisk are noticed elsewhere."""
        misses = 0
        while True:
            await asyncio.sleep(PROBE_TIMEOUT_S)
            try:
                misses = 0 if await self._hear_ourselves() else misses + 1
            except PeerError as error:
                log.debug("cannot check that our ARI application's events reach us", reason=str(error))
            if misses >= MAX_MISSES:
                raise Deaf("the events of our application go to another client, or to none")

    async def _hear_ourselves(self) -> bool:
        """Raises PeerError, Deaf."""
        self._probe = secrets.token_hex(8)
        self._came_back.clear()
        if not await self._tell(PROBE, {"probe": self._probe}):
            raise Deaf("Asterisk has no application of ours any more: another client had taken it, and is gone")
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self._came_back.wait()
        except TimeoutError:
            return False
        return True

    def hear(self, event: AriEvent) -> bool:
        """Whether the event is one of ours. Quick."""
        if event.type != "ChannelUserevent":
            return False
        told: dict[str, Any] = event.raw.get("userevent") or {}
        match event.raw.get("eventname"):
            case "ari-bridge.probe":
                if told.get("probe") == self._probe:
                    self._came_back.set()
            case "ari-bridge.roll-call":
                self._answers.start(self._say_here(str(told.get("asker", ""))[:64]))
            case _:
                return False
        return True

    async def _say_here(self, asker: str) -> None:
        log.warning(
            "another front end was started with our ARI application: notifying it that we serve it", app=self.app
        )
        try:
            await self._set(self._answer, f"{asker} process {os.getpid()} on {socket.gethostname()}")
        except PeerError as error:
            log.error("cannot notify the other front end that we serve the ARI application", reason=str(error))

    # --- what Asterisk keeps, and sends ---------------------------------------------------

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
