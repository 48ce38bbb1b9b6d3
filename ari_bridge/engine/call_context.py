"""What the parts of a call's task share: the call, its mailbox, its listeners, and what it acts on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

import structlog

from ari_bridge.engine.limits import Limits
from ari_bridge.engine.ports import Backends
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.events import Event
from ari_bridge.fsm.notifications import Notification


class CallContext(Protocol):
    """One call's. `CallTask` is the only implementation."""

    @property
    def call(self) -> Call:
        """The call as it is now."""

    backends: Backends
    limits: Limits
    log: structlog.stdlib.BoundLogger

    def post(self, event: Event) -> None:
        """Apply an event, now or as soon as the ones before it are done. Never raises."""

    def notify(self, notification: Notification) -> None:
        """Notify the listeners now."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a request beside the others; cancelled when the task is closed."""
