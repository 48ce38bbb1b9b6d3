"""The port by which every part of the server tells the audit log what somebody has done.

Record an action where it is decided, once, whether it was allowed or not:

    self._audit.record(Action.USER_LOCK, user.name, actor=principal.actor)
    self._audit.record(Action.DIAL_DENY, number, result=Result.REFUSED, rule=decision.rule)
    self._audit.record(Action.FORWARD_CHANGE, user, field="forwardAlways", old="", new="+493012345")

It returns at once, never fails and never waits; the entry is written some milliseconds later. Without `actor` it is
the one in whose name this code runs (`acting`): HTTP requests and messages of the WebSocket set it. Everything else is
the system. Keyword arguments beyond these are the entry's details: short texts and numbers, no secrets, no digits that
somebody pressed. What may still go wrong is recorded when it is over, by `recorded`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from ari_bridge.audit.action import Action
from ari_bridge.audit.entry import SYSTEM, Actor, Detail, Result

_ACTING: ContextVar[Actor] = ContextVar("acting", default=SYSTEM)


class Audit(Protocol):
    """Takes entries; `AuditLog` keeps them."""

    def record(
        self,
        action: Action,
        object: str = "",
        *,
        result: Result = Result.OK,
        actor: Actor | None = None,
        details: Mapping[str, Detail] | None = None,
        **more: Detail,
    ) -> None:
        """Record an action.

        Args:
            action: What was done or refused.
            object: What it was done to: the name of a user, the id of a key, call or recording, a number.
            result: How it ended.
            actor: Who did it; None: the one in whose name this code runs.
            details: What else is to be known, as found elsewhere.
            more: The same, as written here: for example `reason`, `rule`, `old` and `new`.
        """


class NoAudit:
    """Keeps nothing: for a part that is used without a server."""

    def record(
        self,
        action: Action,
        object: str = "",
        *,
        result: Result = Result.OK,
        actor: Actor | None = None,
        details: Mapping[str, Detail] | None = None,
        **more: Detail,
    ) -> None:
        pass


def current_actor() -> Actor:
    """In whose name this code runs: what `record` takes without `actor`."""
    return _ACTING.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """What runs within is done by this actor, tasks that it starts included."""
    token = _ACTING.set(actor)
    try:
        yield
    finally:
        _ACTING.reset(token)


@contextmanager
def recorded(
    audit: Audit,
    action: Action,
    object: str = "",
    *,
    refusals: tuple[type[BaseException], ...] = (),
    actor: Actor | None = None,
    **details: Detail,
) -> Iterator[None]:
    """Record the action once what is done within is over, with how it ended.

    Args:
        refusals: Exceptions that say that it was not allowed; after all others it has failed.
    """
    result = Result.FAILED
    try:
        yield
        result = Result.OK
    except refusals:
        result = Result.REFUSED
        raise
    finally:
        audit.record(action, object, result=result, actor=actor, details=details)
