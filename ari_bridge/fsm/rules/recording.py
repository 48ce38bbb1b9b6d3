"""Rules of recordings: Asterisk records the bridge of the call, and so everything said in it. Pure.

A recording is Asterisk's: it continues when our process dies, and ends with the bridge at the latest.
"""

from msgspec.structs import replace

from ari_bridge.errors import TooMany, WrongState
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Notify, Record
from ari_bridge.fsm.call import Call, Milestone, Recording, RecordingStatus
from ari_bridge.fsm.decisions import Decision, check_present, leads_to
from ari_bridge.fsm.events import RecordingVerb
from ari_bridge.fsm.notifications import RecordingChanged, RequestRefused
from ari_bridge.ids import stem_of

MAX_RECORDINGS = 100
"""Of one call: its row has the names of all."""


def recording_name(call_id: str, number: int) -> str:
    """`<stem>-rec1`, `<stem>-rec2`, ...; also the name of the file."""
    return f"{stem_of(call_id)}-rec{number}"


@leads_to()
def record(call: Call, event: events.RecordingRequested) -> Decision:
    """No error if it is so already: two people may press the button."""
    check_present(call)
    running = call.recording
    match event.verb:
        case RecordingVerb.START if running is None:
            return start(call, event.at)
        case RecordingVerb.START:
            return call, []
        case _ if running is None:
            raise WrongState("The call is not being recorded.", field="action")
        case RecordingVerb.PAUSE:
            return _set(call, running, RecordingStatus.PAUSED, event.verb)
        case RecordingVerb.RESUME:
            return _set(call, running, RecordingStatus.ON, event.verb)
        case _:
            return _set(call, running, RecordingStatus.OVER, event.verb)


def start(call: Call, at: float) -> Decision:
    if Milestone.BRIDGE_CREATED not in call.milestones:
        raise WrongState("The call is not set up yet.", field="callId")
    if len(call.recordings) >= MAX_RECORDINGS:
        raise TooMany(f"There are {MAX_RECORDINGS} recordings of this call already.", field="callId")
    recording = Recording(recording_name(call.id, len(call.recordings) + 1), RecordingStatus.ON, at)
    call = replace(call, recordings=(*call.recordings, recording))
    return call, [Record(RecordingVerb.START, recording.name), Notify(RecordingChanged())]


def _set(call: Call, recording: Recording, state: RecordingStatus, verb: RecordingVerb) -> Decision:
    if recording.state is state:
        return call, []
    return _with(call, replace(recording, state=state)), [Record(verb, recording.name), Notify(RecordingChanged())]


@leads_to()
def ended(call: Call, event: events.RecordingEnded) -> Decision:
    """Asterisk has ended it: on request, because the disk is full, or with the bridge."""
    recording = next((one for one in call.recordings if one.name == event.name), None)
    if recording is None or recording.state is RecordingStatus.OVER:
        return call, []
    return _with(call, replace(recording, state=RecordingStatus.OVER)), [Notify(RecordingChanged(event.failure))]


@leads_to()
def refused(call: Call, event: events.RecordingRefused) -> Decision:
    """It continues as before the request."""
    recording = next((one for one in call.recordings if one.name == event.name), None)
    if recording is None or recording is not call.recordings[-1]:
        return call, []
    call = _with(call, replace(recording, state=_STATE_BEFORE.get(event.verb, recording.state)))
    return call, [Notify(RequestRefused("record", event.reason)), Notify(RecordingChanged())]


# The stop of a paused recording: reporting it as running is the safer error.
_STATE_BEFORE = {
    RecordingVerb.PAUSE: RecordingStatus.ON,
    RecordingVerb.RESUME: RecordingStatus.PAUSED,
    RecordingVerb.STOP: RecordingStatus.ON,
}


def _with(call: Call, recording: Recording) -> Call:
    recordings = tuple(recording if one.name == recording.name else one for one in call.recordings)
    return replace(call, recordings=recordings)
