"""What the parts of a call's task share: the call, its mailbox, its listeners, and what it acts on."""

from typing import Protocol

import structlog

from ari_bridge.engine.limits import Limits
from ari_bridge.engine.ports import Backends
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.events import Event
from ari_bridge.fsm.notifications import Notification
from ari_bridge.tasks import TaskSet


class CallContext(Protocol):
    """One call's. `CallTask` is the only implementation."""

    @property
    def call(self) -> Call:
        """The call as it is now."""

    backends: Backends
    limits: Limits
    requests: TaskSet  # those that are pending; cancelled when the task is closed
    log: structlog.stdlib.BoundLogger

    def post(self, event: Event) -> None:
        """Apply an event, now or as soon as the ones before it are done. Never raises."""

    def notify(self, notification: Notification) -> None:
        """Notify the listeners now."""
