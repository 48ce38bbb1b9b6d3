"""What a call is at one moment. Pure data: no clock, no I/O, no logging.

Only `transitions.step` makes a new `Call` out of an old one.
"""

from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from ari_bridge.fsm.timing import Deadlines
from ari_bridge.ids import Kind, leg_id, resource_id
from ari_bridge.net import RtpAddress
from ari_bridge.outcomes import Cause, Detail, Outcome
from ari_bridge_protocol.direction import Direction as Direction


class IdentityEnum(Enum):
    """Hashes by identity: `Enum.__hash__` is Python code, and these members are looked up in sets on the hot path."""

    __hash__ = object.__hash__


class CallState(IdentityEnum):
    """The values are the words of the protocol."""

    TRYING = "trying"  # set-up has started; nothing from the far side yet
    RINGING = "ringing"  # the far side rings, or is being reached, and no sound of it is heard; inbound: the pages ring
    EARLY = "early"  # early media: the far side is heard before its answer
    ACCEPTING = "accepting"  # inbound: a page or a SIP phone has accepted, and its media is being set up
    UP = "accepted"  # answered
    ENDING = "ending"  # decided to end; its resources are being released
    ENDED = "ended"  # everything is released

    @property
    def live(self) -> bool:
        """Not yet decided to end."""
        return self not in (CallState.ENDING, CallState.ENDED)


class Resource(IdentityEnum):
    """What a call allocates in Asterisk and rtpengine; each is released exactly once."""

    MEDIA_SESSION = "media_session"  # of a media leg, as the next
    EXTERNAL_MEDIA = "external_media"
    BRIDGE = "bridge"
    FAR = "far"
    NEAR = "near"  # the channel of our user's SIP client (`Call.near`)
    PHONE = "phone"  # the channel that rings the SIP phones of a called user; once it has answered, it is NEAR
    PARTY = "party"  # the channel of a further party; not in `Call.allocated`: the party itself keeps track of it


class Milestone(IdentityEnum):
    """What the set-up has reached. The steps of the plan wait for these."""

    MEDIA_OFFERED = auto()  # rtpengine took the browser's offer
    MEDIA_ANSWERED = auto()  # rtpengine made the answer for the browser
    BRIDGE_CREATED = auto()
    EXTERNAL_MEDIA_CREATED = auto()
    EXTERNAL_MEDIA_ENTERED = auto()  # its StasisStart came: it takes commands now
    EXTERNAL_MEDIA_BRIDGED = auto()
    LEG_REUSED = auto()  # an existing leg is used again: a new browser joins its rtpengine session
    FAR_CREATED = auto()
    FAR_ENTERED = auto()
    FAR_LEFT = auto()  # its StasisEnd came: it takes no commands any more
    FAR_BRIDGED = auto()
    FAR_DIALLED = auto()
    PAGES_RING = auto()  # inbound: pages of a user ring, or the user's SIP phones are to
    FAR_RUNG = auto()  # inbound: the caller was sent ringing
    FAR_ANSWERED = auto()
    ACCEPTED = auto()  # inbound: a page has sent its offer, or a SIP phone has answered
    ANSWER_SENT = auto()  # the page was sent an SDP answer, of whichever leg
    PHONE_WANTED = auto()  # inbound: SIP phones of the user are to ring as well
    PHONE_CREATED = auto()
    PHONE_ENTERED = auto()
    PHONE_DIALLED = auto()
    NEAR_BRIDGED = auto()  # our user's SIP client is in the bridge
    FAR_PROGRESSED = auto()  # outbound: the far side has signalled that it may send sound before its answer (183)


@dataclass(frozen=True, slots=True)
class LegRef:
    """One of a call's media legs."""

    number: int


@dataclass(frozen=True, slots=True)
class PartyRef:
    """One of a call's further parties."""

    number: int


Target = LegRef | PartyRef | None
"""Which part of the call an event or an action is about; None: what a call has once."""


class SipChannel(msgspec.Struct, frozen=True):
    """The channel by which a SIP client of our user takes part in a call, in place of a media leg.

    Asterisk made it, so its id says nothing of the call: only the call's record does.
    """

    id: str  # ARI channel id
    name: str = ""  # Asterisk's, such as PJSIP/edge-0000002a
    holds: bool = False  # the client itself holds the call: then Asterisk plays music, and we need not


class PartyState(IdentityEnum):
    """Of a further party. The values are the words of the protocol."""

    CALLED = "trying"
    RINGING = "ringing"
    UP = "accepted"  # it has answered
    GONE = "ended"  # not removed from `Call.parties`: numbers are never reused


_STORED_NAMES = {
    "left_outcome": "left",
    "started": "asked",
    "pending": "waiting",
    "leaving_outcome": "leaving",
    "redirected_to": "moved_to",
    "leg": "media_leg",  # not in a row as it is: see `call_store.rows`
}
"""What the call store calls a field, if not by its name here: rows of earlier versions stay readable, and of this one
by them.
"""


class Party(msgspec.Struct, frozen=True, rename=_STORED_NAMES):
    """A participant besides our side and the far side: called into the call, or given over by another call.

    Times are Unix seconds; None means that it has not happened.
    """

    number: int  # 2, 3, ...: the far side is 1
    channel: str  # ARI channel id
    target: str  # the number as dialled, or the caller's
    created_at: float
    name: str = ""
    endpoint: str = ""  # what Asterisk dials; "" for a party that another call gave over
    caller: str = ""  # the caller id that it is shown
    caller_name: str = ""
    state: PartyState = PartyState.CALLED
    started: frozenset["Step"] = frozenset()
    pending: frozenset["Step"] = frozenset()  # started, without a result yet
    leaving_outcome: Outcome | None = None  # set when it is decided to leave, until its channel is released
    releasing: bool = False
    dial_status: str = ""
    redirected_to: str = ""  # the number that it redirects to
    hangup_q850: int = 0
    outcome: Outcome | None = None  # with GONE
    detail: Detail | None = None  # with `outcome`, or `leaving`
    answered_at: float | None = None
    ended_at: float | None = None

    @property
    def ref(self) -> PartyRef:
        return PartyRef(self.number)

    @property
    def present(self) -> bool:
        """Called or talking, and not leaving."""
        return self.state is not PartyState.GONE and self.leaving_outcome is None

    @property
    def talking(self) -> bool:
        return self.state is PartyState.UP and self.leaving_outcome is None


class RecordingStatus(IdentityEnum):
    """Of a recording. The values are the words of the protocol."""

    ON = "on"
    PAUSED = "paused"
    OVER = "over"


class Recording(msgspec.Struct, frozen=True):
    """A recording of all that is said in the call. `name`: Asterisk's for it, and ours."""

    name: str
    state: RecordingStatus
    started_at: float  # Unix seconds


class MediaLeg(msgspec.Struct, frozen=True):
    """The near side of a call that a browser has: an rtpengine session, and the external media channel that joins it to
    the bridge.

    A new offer makes a new leg, which replaces the earlier one once it is in the bridge.
    """

    number: int  # from 1 on; `ids.leg_id` makes the names of its channel and session
    offer: str = ""  # the browser's SDP
    answer: str = ""  # the SDP for the browser; "" until it is known
    media_address: RtpAddress | None = None  # where rtpengine receives RTP from Asterisk
    external_media_address: RtpAddress | None = None  # where Asterisk receives RTP from rtpengine
    milestones: frozenset[Milestone] = frozenset()
    started: frozenset["Step"] = frozenset()  # set-up steps
    pending: frozenset["Step"] = frozenset()  # started, without a result yet
    allocated: frozenset[Resource] = frozenset()  # requested: created, or possibly created; not released yet
    releasing: frozenset[Resource] = frozenset()  # allocated, and being released

    @property
    def ref(self) -> LegRef:
        return LegRef(self.number)

    @property
    def gone(self) -> bool:
        """Nothing of it is left, or can still come to exist."""
        return not self.allocated and not self.pending

    @property
    def reusable(self) -> bool:
        """Whether it is whole, in the bridge, and no request for it is pending."""
        bridged = Milestone.EXTERNAL_MEDIA_BRIDGED in self.milestones
        return bridged and len(self.allocated) == 2 and not self.releasing and not self.pending


class Call(msgspec.Struct, frozen=True, rename=_STORED_NAMES):
    """One call. Times are Unix seconds; None: it has not happened.

    `milestones`, `started`, `pending`, `allocated` and `releasing` concern what a call has once: each media leg and
    each party has its own.
    A msgspec struct, as it is copied with a change some forty times a call: copying a dataclass takes thirty times as
    long.
    """

    id: str
    direction: Direction
    target: str  # outbound: the number as dialled; inbound: the number that was called
    caller: str  # outbound: who calls, as shown to the far side; inbound: the caller's number
    created_at: float
    caller_name: str = ""
    state: CallState = CallState.TRYING
    user: str | None = None  # whose call it is; inbound: None until accepted
    session: str | None = None  # of the page that owns the call; None if no page does, as with plain HTTP
    users: frozenset[str] = frozenset()  # inbound: the users whose pages, or SIP phones, ring
    far_channel: str = ""  # ARI channel id of the far leg
    far_number: str = ""  # the connected line, as Asterisk reports it; "": as dialled, or the caller's
    far_name: str = ""
    endpoint: str = ""  # outbound: what Asterisk dials, e.g. PJSIP/7001@trunk
    phone: str = ""  # inbound: what Asterisk dials to ring the user's SIP phones; "": they do not ring
    near: SipChannel | None = None  # our user's SIP client: then there is no media leg
    leg: MediaLeg | None = None  # in use, or being made; inbound: None until accepted
    old_legs: tuple[MediaLeg, ...] = ()  # earlier ones that are not released yet
    last_leg: int = 0  # the highest number that a leg has had: numbers are never reused
    milestones: frozenset[Milestone] = frozenset()
    started: frozenset["Step"] = frozenset()  # set-up steps
    pending: frozenset["Step"] = frozenset()  # started, without a result yet
    allocated: frozenset[Resource] = frozenset()  # requested: created, or possibly created; not released yet
    releasing: frozenset[Resource] = frozenset()  # allocated, and being released
    owner_away: bool = False  # the owning page has no open WebSocket
    media_lost: bool = False  # there is no media leg any more: the page must send a new offer
    client_silent: bool = False  # no RTP arrives from the browser though it should
    moh_on: bool = False  # the bridge plays music on hold
    held: bool = False  # by our side
    isolated: bool = False  # nothing passes between our media leg and the bridge
    held_by_far: bool = False
    parties: tuple[Party, ...] = ()  # besides the far side; including those that have left
    transferring: int = 0  # the party that takes our side's place once it has answered; 0: none
    left_outcome: Outcome | None = None  # set when our side has left and the others continue: the outcome for our user
    left_at: float | None = None
    recordings: tuple[Recording, ...] = ()
    metadata: dict[str, str] = {}  # of the client token that it was placed or accepted with; never changed
    prefer: str = ""  # the codec for the browser: "opus", "pcmu"; "": as the server is set
    ring_seconds: float = 0.0  # how long it may ring; 0: as the server is set
    dial_status: str = ""  # outbound: of the last ARI `Dial` event, e.g. BUSY
    redirected_to: str = ""  # outbound: the number that the far side redirects to
    hangup_q850: int = 0  # the cause in the far side's hang-up request; 0 if none came
    dialplan_status: str = ""  # inbound: set when the caller continues in the dialplan (ARI_BRIDGE_STATUS)
    forward: str = ""  # inbound: where an unanswered caller goes: a number, "voicemail", or "": as the dialplan is set
    ownerless: bool = False  # found in Asterisk without a record that says whose it is
    deadlines: Deadlines = ()  # of the running timers that outlive the process
    outcome: Outcome | None = None  # set when the call is decided to end, never changed
    cause: Cause | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None  # when it was decided to end, not when everything was released

    def party(self, number: int) -> Party | None:
        """The party with this number, from 2 on, including one that has left."""
        return self.parties[number - 2] if 2 <= number <= len(self.parties) + 1 else None

    @property
    def legs(self) -> tuple[MediaLeg, ...]:
        """All that are not released yet, the present one last."""
        return (*self.old_legs, self.leg) if self.leg else self.old_legs

    def media_leg(self, ref: LegRef) -> MediaLeg | None:
        """None if nothing of it is left."""
        return next((leg for leg in self.legs if leg.number == ref.number), None)

    def is_present(self, ref: LegRef) -> bool:
        """Whether it is the media leg in use, or being made, and no earlier one."""
        return self.leg is not None and self.leg.number == ref.number

    @property
    def reusable_leg(self) -> MediaLeg | None:
        """The earlier leg that is still in the bridge, and can be used again."""
        return next((leg for leg in reversed(self.old_legs) if leg.reusable), None)

    @property
    def offer(self) -> str:
        """The browser's SDP offer for its present media leg; "" if there is none, or if it is not known."""
        return self.leg.offer if self.leg else ""

    @property
    def answer(self) -> str:
        """The SDP answer for the browser; "" until it is known."""
        return self.leg.answer if self.leg else ""

    @property
    def near_channel(self) -> str:
        """The channel by which our side is, or will be, in the bridge: its SIP client's, or that of its media leg.

        "" if there is neither.
        """
        if self.near:
            return self.near.id if self.near_present else ""
        return leg_id(self.id, self.leg.number) if self.leg else ""

    @property
    def reached(self) -> frozenset[Milestone]:
        """The milestones of the call and of its present media leg."""
        return self.milestones | self.leg.milestones if self.leg else self.milestones

    @property
    def far_present(self) -> bool:
        return Resource.FAR in self.allocated - self.releasing and Milestone.FAR_LEFT not in self.milestones

    @property
    def phone_channel(self) -> str:
        """The channel by which the user's SIP phones ring."""
        return resource_id(self.id, Kind.PHONE)

    @property
    def near_present(self) -> bool:
        return Resource.NEAR in self.allocated - self.releasing

    @property
    def recording(self) -> Recording | None:
        """The recording that is running or paused."""
        last = self.recordings[-1] if self.recordings else None
        return last if last and last.state is not RecordingStatus.OVER else None


class Step(IdentityEnum):
    """One request of the set-up plan. The value names it in logs and metrics."""

    OFFER_MEDIA = "offer_media"
    REOFFER_MEDIA = "reoffer_media"  # of a leg that is used again
    ANSWER_MEDIA = "answer_media"
    CREATE_BRIDGE = "create_bridge"
    CREATE_EXTERNAL_MEDIA = "create_external_media"
    BRIDGE_EXTERNAL_MEDIA = "bridge_external_media"
    CREATE_FAR = "create_far"
    BRIDGE_FAR = "bridge_far"
    DIAL_FAR = "dial_far"
    RING_FAR = "ring_far"
    ANSWER_FAR = "answer_far"
    BRIDGE_NEAR = "bridge_near"
    CREATE_PHONE = "create_phone"
    DIAL_PHONE = "dial_phone"
    CREATE_PARTY = "create_party"
    DIAL_PARTY = "dial_party"
    BRIDGE_PARTY = "bridge_party"
