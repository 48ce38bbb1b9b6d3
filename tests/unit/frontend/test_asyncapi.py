"""The AsyncAPI document says what `/events` sends: every event, with just the data that it has."""

import json
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from ari_bridge.fsm.call import Call, CallState, Direction
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
from ari_bridge.hooks import events as hook_events
from ari_bridge.leg_stats import LegStats, StreamStats
from ari_bridge.outcomes import Cause, Outcome
from frontend.api.asyncapi.document import document, encoded
from frontend.api.asyncapi.event_data import EVENT_DATA, NOTICES
from frontend.api.routes.event_stream import MISSED, EventData, missed

DOCUMENT = document()
CALL = Call("call-1", Direction.INBOUND, "1001", "42", 1.0, state=CallState.UP, user="1001")
ENDED = Call(
    "call-2",
    Direction.OUTBOUND,
    "600",
    "1001",
    1.0,
    state=CallState.ENDED,
    outcome=Outcome.COMPLETED,
    cause=Cause(16, "Normal Clearing", 200),
    ended_at=9.0,
)
EVENTS = [
    CallStarted(CALL),
    CallAdopted(CALL),
    CallChanged(CALL),
    CallEnded(ENDED),
    CallReleased(ENDED),
    DigitReceived(CALL, "5"),
    LegReleased("call-1", 1, LegStats(StreamStats(5, 800, "opus", lost=0), StreamStats(5, 800))),
    LegReleased("call-1", 2, LegStats()),
    QualityReported("call-1", {"mos": 4.2}),
    FeedbackGiven("call-1", {"score": 4, "issue": "echo", "comment": "at the end"}),
    RecordingFinished("call-1", "call-1-r1"),
    UsageAlarm("new_destinations", "1001", "NEW_DESTINATIONS", 4, 3, "LV international"),
    OutgoingStopped("2001", "fraud"),
    OutgoingAllowed("2001"),
    EventsLost(3, "no_room"),
    AriReceived("Dial", {"type": "Dial", "application": "ari-bridge", "peer": {"id": "1"}}),
]


def message(name: str) -> dict[str, Any]:
    return DOCUMENT["components"]["messages"][name]  # type: ignore[no-any-return]


def validate(name: str, sent: object) -> None:
    jsonschema_rs.validate({"allOf": [message(name)["payload"]], "components": DOCUMENT["components"]}, sent)


def test_every_event_is_in_it() -> None:
    classes = [one for one in vars(hook_events).values() if isinstance(one, type) and issubclass(one, HookEvent)]
    ours = {cls for cls in classes if cls.name}
    assert ours == set(EVENT_DATA) == {type(event) for event in EVENTS}
    assert set(DOCUMENT["channels"]["events"]["messages"]) == {cls.name for cls in ours} | set(NOTICES)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_what_is_sent_is_as_it_says(event: HookEvent) -> None:
    sent = msgspec.to_builtins(EventData(7, event.at, event.name, event.call_id, event.data()))
    validate(event.name, sent)
    fields = msgspec.structs.fields(EVENT_DATA[type(event)])
    if not isinstance(event, AriReceived):
        assert set(sent["data"]) <= {one.encode_name for one in fields}, "the document does not have all of it"
    assert {one.encode_name for one in fields if one.required} <= set(sent["data"])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_another_data_is_refused(event: HookEvent) -> None:
    sent = msgspec.to_builtins(EventData(7, event.at, event.name, event.call_id, event.data()))
    wrong_name = {**sent, "name": "call.unknown"}
    without_data = {**sent, "data": {}}
    without_time = {name: value for name, value in sent.items() if name != "at"}
    for wrong in (wrong_name, without_data, without_time):
        with pytest.raises(jsonschema_rs.ValidationError):
            validate(event.name, wrong)


def test_the_notice_of_missed_events_is_as_it_says() -> None:
    sent = json.loads(msgspec.json.encode(missed(5, 3, "too_old")))
    validate(MISSED, sent)
    assert set(sent["data"]) == {one.encode_name for one in msgspec.structs.fields(NOTICES[MISSED][0])}


def test_every_reference_leads_somewhere() -> None:
    def follow(reference: str) -> object:
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return found

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            inner = [one for each in value.values() for one in references(each)]
            return [value["$ref"], *inner] if isinstance(value.get("$ref"), str) else inner
        return [one for each in value for one in references(each)] if isinstance(value, list) else []

    found = references(DOCUMENT)
    assert found
    for reference in found:
        assert follow(reference)
    assert json.loads(encoded()) == DOCUMENT
