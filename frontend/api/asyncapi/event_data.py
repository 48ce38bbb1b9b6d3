"""What each event of `GET /events` has as its `data`.

Tests compare these with what the hook events' `data()` gives, so that neither changes without the other.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ari_bridge.fsm.call_data import CallData
from ari_bridge.hooks import (
    AriReceived,
    CallAdopted,
    CallChanged,
    CallEnded,
    CallReleased,
    CallStarted,
    DigitReceived,
    EventsLost,
    FeedbackGiven,
    HookEvent,
    LegReleased,
    OutgoingAllowed,
    OutgoingStopped,
    QualityReported,
    RecordingFinished,
    UsageAlarm,
)
from ari_bridge.leg_stats import StreamStats
from frontend.api.routes.call_endpoints import FeedbackBody
from frontend.api.routes.event_stream import MISSED


class DigitData(msgspec.Struct, frozen=True, rename="camel"):
    call_id: str
    digit: Annotated[str, Meta(description="`•` for all but the call's user, and in a replay from disk")]


class LegData(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    call_id: str
    leg: Annotated[int, Meta(description="1 for the first; each reload makes another")]
    browser: StreamStats | None = None
    asterisk: StreamStats | None = None


class QualityData(msgspec.Struct, frozen=True, rename="camel"):
    call_id: str
    report: Annotated[dict[str, Any], Meta(description="QUALITY.md explains it")]


class FeedbackData(FeedbackBody, frozen=True, rename="camel", kw_only=True):
    call_id: str


class RecordingFinishedData(msgspec.Struct, frozen=True, rename="camel"):
    call_id: str
    recording: str
    failure: Annotated[str, Meta(description='"": it is complete')]


class UsageAlarmData(msgspec.Struct, frozen=True):
    kind: Literal["limit", "new_destinations", "night"]
    user: Annotated[str, Meta(description='"" for a limit of several users')]
    rule: Annotated[str, Meta(description="the limit or the setting")]
    used: Annotated[float, Meta(description="legs or minutes")]
    limit: float
    destination: Annotated[str, Meta(description="with `new_destinations`: of the last one")]


class OutgoingStoppedData(msgspec.Struct, frozen=True):
    by: str
    reason: str


class OutgoingAllowedData(msgspec.Struct, frozen=True):
    by: str


class EventsLostData(msgspec.Struct, frozen=True):
    count: Annotated[int, Meta(description="0: not known")]
    reason: Literal["no_room", "uncertain_end"]


class EventsMissedData(msgspec.Struct, frozen=True):
    after: Annotated[int, Meta(description="the number after which events were asked for")]
    reason: Literal["too_old", "ari_too_old", "unknown_number"]


class AriData(msgspec.Struct, frozen=True):
    """As ARI sends it: with more fields, which depend on `type`."""

    type: Annotated[str, Meta(description="ARI's name for it, e.g. StasisStart")]


EVENT_DATA: dict[type[HookEvent], type[msgspec.Struct]] = {
    CallStarted: CallData,
    CallAdopted: CallData,
    CallChanged: CallData,
    CallEnded: CallData,
    CallReleased: CallData,
    DigitReceived: DigitData,
    LegReleased: LegData,
    QualityReported: QualityData,
    FeedbackGiven: FeedbackData,
    RecordingFinished: RecordingFinishedData,
    UsageAlarm: UsageAlarmData,
    OutgoingStopped: OutgoingStoppedData,
    OutgoingAllowed: OutgoingAllowedData,
    EventsLost: EventsLostData,
    AriReceived: AriData,
}
"""Every event of the log."""

NOTICES: dict[str, tuple[type[msgspec.Struct], str]] = {
    MISSED: (EventsMissedData, "Sent in place of events that are not kept any more; it has no number of its own.")
}
"""What a stream says beside the log's events: the data, and what it means."""
