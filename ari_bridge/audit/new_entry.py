"""Makes an entry of what happens now."""

import secrets
import time
from collections.abc import Mapping
from types import MappingProxyType

import structlog

from ari_bridge.audit.action import Action
from ari_bridge.audit.entry import SYSTEM, Actor, Detail, Result, Unsealed, storable, storable_details

_NONE: Mapping[str, Detail] = MappingProxyType({})


def new_entry(
    action: Action,
    object: str = "",
    *,
    result: Result = Result.OK,
    actor: Actor = SYSTEM,
    details: Mapping[str, Detail] = _NONE,
) -> Unsealed:
    """With the time, an id, and the id of the request that this code runs for, as the log lines have it."""
    return Unsealed(
        id=f"aud_{secrets.token_hex(8)}",
        at=round(time.time(), 3),
        actor_kind=actor.kind,
        actor_id=storable(actor.id),
        actor=storable(actor.name),
        tenant=storable(actor.tenant),
        address=storable(actor.address),
        action=action,
        object=storable(object),
        result=result,
        request_id=storable(str(structlog.contextvars.get_contextvars().get("request_id", ""))),
        details=storable_details(details),
    )
