"""What the audit log is told of reading: who watches others, hears recordings, searches."""

import time
from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from ari_bridge.audit import Action, Audit, Detail
from frontend.auth.principal import Principal

REPEAT_AFTER_S = 600.0
"""The same reading by the same principal is one entry for so long: a dashboard asks again and again, and a browser
fetches one recording in many parts."""
MAX_REMEMBERED = 10_000


class Reading:
    """Records that somebody reads, once for a while."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._recorded: OrderedDict[tuple[str, str, str, Action, str], float] = OrderedDict()

    def record(
        self, principal: Principal, action: Action, object: str, details: Mapping[str, Detail] | None = None
    ) -> None:
        key = (principal.user_id, principal.name or "", principal.address, action, object)
        now = time.monotonic()
        if now - self._recorded.get(key, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return
        self._recorded[key] = now
        self._recorded.move_to_end(key)
        while len(self._recorded) > MAX_REMEMBERED:
            self._recorded.popitem(last=False)
        self._audit.record(action, object, actor=principal.actor, details=details)


def filters_of(parameters: msgspec.Struct) -> dict[str, str]:
    """Those that were given, as details of an entry. `action`, `object` and `result` belong to the entry itself."""
    given = {
        name: value
        for name, value in msgspec.to_builtins(parameters, enc_hook=str).items()
        if value not in (None, "", 0.0) and name not in ("cursor", "limit")
    }
    own = {"action", "object", "result", "actor"}
    return {f"filter{name.capitalize()}" if name in own else name: str(value) for name, value in given.items()}
