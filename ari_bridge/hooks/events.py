"""Every hook event: what happens to calls, and what Asterisk sends.

`name` and `data()` are what `/events` and plugins written in other languages see, so both are stable. Every event
has `call_id`. Knows calls as data; knows neither the engine that emits these events nor who listens.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import msgspec

from ari_bridge.fsm.call import Call
from ari_bridge.fsm.call_data import CallData
from ari_bridge.hooks.emitter import HookEvent
from ari_bridge.leg_stats import LegStats


def call_data(call: Call) -> dict[str, Any]:
    """The call as a JSON-ready dict, as `CallData` has it."""
    data: dict[str, Any] = msgspec.to_builtins(CallData.of(call))
    return data


@dataclass(frozen=True, slots=True)
class CallEvent(HookEvent):
    """Base of the events that carry the whole call, as it was at the event."""

    call: Call
    call_id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "call_id", self.call.id)

    def data(self) -> dict[str, Any]:
        return call_data(self.call)


@dataclass(frozen=True, slots=True)
class CallStarted(CallEvent):
    """A call was placed, or a caller arrived."""

    name: ClassVar[str] = "call.started"


@dataclass(frozen=True, slots=True)
class CallAdopted(CallEvent):
    """A call of an earlier process was recovered, and continues."""

    name: ClassVar[str] = "call.adopted"


@dataclass(frozen=True, slots=True)
class CallChanged(CallEvent):
    """The call's state changed, or its parties, or whether it is on hold or recorded."""

    name: ClassVar[str] = "call.changed"


@dataclass(frozen=True, slots=True)
class CallEnded(CallEvent):
    """The call was decided to end: `call.outcome` and `call.cause` say how. Emitted once for each call."""

    name: ClassVar[str] = "call.ended"


@dataclass(frozen=True, slots=True)
class CallReleased(CallEvent):
    """Asterisk and rtpengine have nothing of the call any more. Emitted once, after CallEnded."""

    name: ClassVar[str] = "call.released"


@dataclass(frozen=True, slots=True)
class DigitReceived(CallEvent):
    """The far side pressed a key."""

    name: ClassVar[str] = "call.digit"
    digit: str

    def data(self) -> dict[str, Any]:
        return {"callId": self.call_id, "digit": self.digit}


@dataclass(frozen=True, slots=True)
class LegReleased(HookEvent):
    """A media leg was deleted; `figures` are what rtpengine has counted of it. Emitted before CallReleased.

    `leg`: 1 for the first; each reload, and each lost rtpengine, makes another. docs/QUALITY.md explains the figures.
    """

    name: ClassVar[str] = "leg.released"
    call_id: str
    leg: int
    figures: LegStats

    def data(self) -> dict[str, Any]:
        return {"callId": self.call_id, "leg": self.leg, **self.figures.data()}


@dataclass(frozen=True, slots=True)
class QualityReported(HookEvent):
    """How a call has sounded in its browser so far: replaces the previous report of the same call.

    `report`: JSON-ready, in camelCase, see docs/QUALITY.md.
    """

    name: ClassVar[str] = "quality"
    call_id: str
    report: dict[str, Any]

    def data(self) -> dict[str, Any]:
        return {"callId": self.call_id, "report": self.report}


@dataclass(frozen=True, slots=True)
class FeedbackGiven(HookEvent):
    """A user's rating of a call. `feedback`: JSON-ready: score (1 to 5), optionally issue and comment."""

    name: ClassVar[str] = "feedback"
    call_id: str
    feedback: dict[str, Any]

    def data(self) -> dict[str, Any]:
        return {"callId": self.call_id, **self.feedback}


@dataclass(frozen=True, slots=True)
class RecordingFinished(HookEvent):
    """Asterisk has completed a recording; or it failed, as `failure` says, and there may be a part of it."""

    name: ClassVar[str] = "recording.finished"
    call_id: str
    recording: str
    failure: str = ""

    def data(self) -> dict[str, Any]:
        return {"callId": self.call_id, "recording": self.recording, "failure": self.failure}


@dataclass(frozen=True, slots=True)
class UsageAlarm(HookEvent):
    """A user causes more than is usual. Emitted once in a window: an hour, a day or a night.

    Args:
        kind: `limit` (80 % of one is used), `new_destinations` or `night`.
        user: Whose legs they are; "" for a limit of several users.
        rule: The limit or the setting, by its name.
        used: Legs or minutes.
        limit: Of them; with `new_destinations` and `night` what the setting says.
        destination: With `new_destinations`: the country and class of the last one, e.g. `LV international`.
    """

    name: ClassVar[str] = "usage.alarm"
    kind: Literal["limit", "new_destinations", "night"]
    user: str
    rule: str
    used: float
    limit: float
    destination: str = ""

    def data(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "user": self.user,
            "rule": self.rule,
            "used": self.used,
            "limit": self.limit,
            "destination": self.destination,
        }


@dataclass(frozen=True, slots=True)
class OutgoingStopped(HookEvent):
    """An operator has stopped all outgoing calls. `by`: who."""

    name: ClassVar[str] = "outgoing.stopped"
    by: str
    reason: str = ""

    def data(self) -> dict[str, Any]:
        return {"by": self.by, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class OutgoingAllowed(HookEvent):
    """An operator has allowed outgoing calls again. `by`: who."""

    name: ClassVar[str] = "outgoing.allowed"
    by: str

    def data(self) -> dict[str, Any]:
        return {"by": self.by}


@dataclass(frozen=True, slots=True)
class EventsLost(HookEvent):
    """Events are missing from the event log before this one.

    Args:
        count: How many; 0 if that is not known.
        reason: `no_room`: the disk could not be written for so long that they found no room in memory.
            `uncertain_end`: the machine stopped without warning, or the file was damaged: its last events may be lost.
    """

    name: ClassVar[str] = "events.lost"
    count: int
    reason: Literal["no_room", "uncertain_end"]

    def data(self) -> dict[str, Any]:
        return {"count": self.count, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class AriReceived(HookEvent):
    """An event of Asterisk, as ARI sent it. `type`: ARI's name for it, e.g. StasisStart."""

    name: ClassVar[str] = "ari"
    type: str
    raw: dict[str, Any]

    def data(self) -> dict[str, Any]:
        return self.raw
