"""One event as it is stored."""

import json
from typing import Any

import msgspec

from ari_bridge.fsm.call import Call, Direction
from ari_bridge.hooks import AriReceived, CallEvent, DigitReceived, HookEvent

MASKED_DIGIT = "•"
ARI = AriReceived.name


class EventCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of the call that an event is about, as it was then: what decides who may see the event. Fields as in `Call`."""

    id: str
    direction: Direction
    target: str
    created_at: float
    user: str | None = None
    users: frozenset[str] = frozenset()

    @classmethod
    def of(cls, call: Call) -> "EventCall":
        return cls(call.id, call.direction, call.target, call.created_at, call.user, call.users)


class LoggedEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event with its number. `at`: Unix seconds. `data`: what the hook event's `data()` gives, as JSON.

    A key that was pressed is `MASKED_DIGIT` in it: keys may be a PIN or the number of a card, and are never stored.
    """

    number: int
    at: float
    name: str
    call_id: str | None
    data: msgspec.Raw
    call: EventCall | None = None


class PendingEvent(msgspec.Struct, frozen=True):
    """An event that is not written yet. `digit`: the key that was pressed; "" if the event is of none."""

    at: float
    name: str
    call_id: str | None
    data: msgspec.Raw
    call: EventCall | None
    digit: str

    @classmethod
    def of(cls, event: HookEvent, call: Call | None) -> "PendingEvent":
        """`call`: that the event is about, if it is known and the event does not have it."""
        if isinstance(event, CallEvent):
            call = event.call
        data, digit = event.data(), ""
        if isinstance(event, DigitReceived | AriReceived) and "digit" in data:
            digit, data = str(data["digit"]), {**data, "digit": MASKED_DIGIT}
        seen = EventCall.of(call) if call else None
        return cls(event.at, event.name, event.call_id, msgspec.Raw(encoded(data)), seen, digit)

    def numbered(self, number: int) -> LoggedEvent:
        return LoggedEvent(number, self.at, self.name, self.call_id, self.data, self.call)


def with_digit(data: msgspec.Raw, digit: str) -> msgspec.Raw:
    """The data of a `LoggedEvent`, with the key that was pressed."""
    return msgspec.Raw(encoded({**msgspec.json.decode(data), "digit": digit}))


def encoded(data: dict[str, Any]) -> bytes:
    """As JSON. Callers choose their names: a lone surrogate, which UTF-8 does not have, becomes a question mark."""
    try:
        return msgspec.json.encode(data)
    except UnicodeEncodeError:
        return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
