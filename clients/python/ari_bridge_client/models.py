"""What the HTTP API answers, typed. Times are Unix seconds; fields that are not known here are ignored."""

from typing import Any

import msgspec

from ari_bridge_protocol.direction import Direction
from ari_bridge_protocol.messages import PersonSummary
from ari_bridge_protocol.outcomes import Outcome


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """Base of all."""


class Session(Answer, frozen=True):
    token: str
    user: str
    expires_at: float


class Invited(Answer, frozen=True):
    """`sdp`: the answer to the offer. `state` as in `CallInfo`."""

    call_id: str
    sdp: str
    state: str


class CauseInfo(Answer, frozen=True):
    q850: int = 0
    sip: int = 0
    text: str = ""


class PartyInfo(Answer, frozen=True):
    """Who was called in or taken over, besides the far side; also who has gone."""

    party: int
    number: str
    name: str
    state: str
    outcome: Outcome | None = None
    answered_at: float | None = None
    ended_at: float | None = None


class CallRecording(Answer, frozen=True):
    name: str
    state: str


class CallInfo(Answer, frozen=True):
    """A call as it stands, or as it ended. `etag`: of this version; `HttpClient.call` waits for another one."""

    call_id: str
    direction: Direction
    state: str  # trying ringing early accepted ended, and accepting and ending in between
    target: str
    caller: str
    caller_name: str = ""
    connected_number: str = ""  # who is talked to, where Asterisk tells it; "": as dialled, or as called
    connected_name: str = ""
    user: str | None = None
    users: tuple[str, ...] = ()  # whose pages ring
    held: bool = False
    held_by_far: bool = False
    parties: tuple[PartyInfo, ...] = ()
    transferring: str | None = None
    recordings: tuple[CallRecording, ...] = ()
    left: Outcome | None = None  # what its user was told, where the others go on without them
    left_at: float | None = None
    outcome: Outcome | None = None
    cause: CauseInfo | None = None
    created_at: float = 0.0
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    etag: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ("ended", "ending")


class CallPage(Answer, frozen=True):
    calls: list[CallInfo]
    next_cursor: str | None = None


class RecordingInfo(Answer, frozen=True):
    name: str
    call_id: str
    user: str | None  # None: nobody's, as with a call over HTTP without sign-in
    caller: str
    target: str
    started_at: float
    seconds: float
    size: int  # bytes
    sha256: str  # of the file, in hexadecimal


class RecordingPage(Answer, frozen=True):
    recordings: list[RecordingInfo]
    next_cursor: str | None = None


class CallRecord(Answer, frozen=True):
    """A call detail record: one ended call."""

    call_id: str
    direction: Direction
    caller: str
    caller_name: str
    target: str
    user: str
    created_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float
    talk_seconds: float
    outcome: Outcome
    q850: int
    sip: int
    cause: str
    tenant: str = ""
    codecs: str = ""
    parties: tuple[dict[str, Any], ...] = ()
    transferred_to: str = ""
    recording: tuple[str, ...] = ()
    quality: dict[str, Any] = {}
    feedback: dict[str, Any] = {}
    connected_number: str = ""  # who was talked to last, where Asterisk told it
    connected_name: str = ""


class RecordPage(Answer, frozen=True):
    cdrs: list[CallRecord]
    next_cursor: str | None = None


class People(Answer, frozen=True):
    people: list[PersonSummary]


class PreferenceInfo(Answer, frozen=True):
    """What is to be done with calls for a user; what each means: docs/PEOPLE.md."""

    do_not_disturb: bool = False
    call_waiting: bool = True
    forward_always: str = ""
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_unreachable: str = ""
    ring_seconds: int = 0


class Health(Answer, frozen=True):
    """`status`: ok or degraded (calls can be made), draining or unavailable (none can be begun)."""

    status: str
    version: str
    checks: dict[str, Any]

    @property
    def ok(self) -> bool:
        return self.status in ("ok", "degraded")


class Config(Answer, frozen=True):
    version: str
    authentication: bool
    phone_book: tuple[dict[str, str], ...] = ()
    recording: bool = False
    preflight_number: str = ""  # an echo; "": there is none
    feedback: bool = False


class ServerEvent(Answer, frozen=True):
    """One of `/events`; docs/HOOKS.md says when each comes and what its `data` has."""

    id: int
    at: float
    name: str
    data: dict[str, Any]
    call_id: str | None = None
