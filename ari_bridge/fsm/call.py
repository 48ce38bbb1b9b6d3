"""What a call is at one moment. Pure data: no clock, no I/O, no logging.

Only `transitions.step` makes a new `Call` out of an old one.
"""

from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from ari_bridge.fsm.timing import Deadlines
from ari_bridge.net import RtpAddress
from ari_bridge.outcomes import Cause, Detail, Outcome
from ari_bridge_protocol.direction import Direction as Direction


class Choice(Enum):
    """Hashed by identity. Enum hashes the name, in Python, and a call looks into sets of these all the time."""

    __hash__ = object.__hash__


class CallState(Choice):
    """The values are the words that clients are told."""

    TRYING = "trying"  # set-up has begun, the far side has said nothing yet
    RINGING = "ringing"  # the far side rings, or is being reached, and sends no sound yet; inbound: the pages ring
    EARLY = "early"  # sound of the far side has come before its answer
    ACCEPTING = "accepting"  # inbound: a page has accepted, its media is being set up
    UP = "accepted"  # both sides talk
    ENDING = "ending"  # decided to end; what was made is being released
    ENDED = "ended"  # nothing is left

    @property
    def live(self) -> bool:
        """Not yet decided to end."""
        return self not in (CallState.ENDING, CallState.ENDED)


class Resource(Choice):
    """What a call holds in Asterisk and rtpengine, each released exactly once."""

    MEDIA_SESSION = "media_session"
    BRIDGE = "bridge"
    EXTERNAL_MEDIA = "external_media"
    FAR = "far"
    PARTY = "party"  # the channel of a further party: held by the party itself, not by `Call.holds`

    @property
    def of_leg(self) -> bool:
        """Whether it belongs to a media leg, of which a call may have several in its life."""
        return self in (Resource.MEDIA_SESSION, Resource.EXTERNAL_MEDIA)


class Fact(Choice):
    """Something about the set-up that has come true. The plan's steps wait for these."""

    MEDIA_OFFERED = auto()  # rtpengine took the browser's offer
    MEDIA_ANSWERED = auto()  # rtpengine made the answer for the browser
    BRIDGE_CREATED = auto()
    EXTERNAL_MEDIA_CREATED = auto()
    EXTERNAL_MEDIA_ENTERED = auto()  # its StasisStart came: it takes commands now
    EXTERNAL_MEDIA_BRIDGED = auto()
    LEG_REUSED = auto()  # the leg stood before: a new browser comes to its session
    FAR_CREATED = auto()
    FAR_ENTERED = auto()
    FAR_LEFT = auto()  # its StasisEnd came: it takes no commands any more
    FAR_BRIDGED = auto()
    FAR_DIALLED = auto()
    PAGES_RING = auto()  # inbound: at least one page rings
    FAR_RUNG = auto()  # inbound: the caller was told that it rings
    FAR_ANSWERED = auto()
    ACCEPTED = auto()  # inbound: a page has given its offer
    ANSWER_TOLD = auto()  # the page was given an SDP answer, of whatever leg
    FAR_PROGRESSED = auto()  # outbound: the far side has said that it may send sound before it answers


@dataclass(frozen=True, slots=True)
class PreparedLeg:
    """A media leg that was made ahead of its call."""

    number: int
    media_address: RtpAddress
    external_media_address: RtpAddress
    answer: str
    entered: bool = False  # its channel's StasisStart came


@dataclass(frozen=True, slots=True)
class SupersededResource:
    """A resource of a media leg that the call uses no more, not released yet."""

    resource: Resource
    leg: int


@dataclass(frozen=True, slots=True)
class StandingLeg:
    """A media leg that is in the bridge while a new one is being made: used again where Asterisk makes no channel."""

    number: int
    media_address: RtpAddress
    external_media_address: RtpAddress


class PartyState(Choice):
    """Of a further party. The values are the words that clients are told."""

    CALLED = "trying"
    RINGING = "ringing"
    UP = "accepted"  # it has answered
    GONE = "ended"  # kept for the record: numbers are not used twice


class Party(msgspec.Struct, frozen=True):
    """Somebody in the call besides its page and its far side: called into it, or given from another call.

    Times are Unix seconds; None means that it has not happened.
    """

    number: int  # 2, 3, ...: the far side is 1
    channel: str  # ARI channel id
    target: str  # the number as dialled, or the caller's
    created_at: float
    name: str = ""
    endpoint: str = ""  # what Asterisk dials; empty for one that was given
    caller: str = ""  # what it is shown
    caller_name: str = ""
    state: PartyState = PartyState.CALLED
    asked: frozenset["Step"] = frozenset()
    waiting: frozenset["Step"] = frozenset()  # of these, the ones without a result yet
    leaving: Outcome | None = None  # decided to go, with this outcome, and not released yet
    releasing: bool = False
    dial_status: str = ""
    moved_to: str = ""  # the number that it names in its place
    hangup_q850: int = 0
    outcome: Outcome | None = None  # with GONE
    detail: Detail | None = None  # with `outcome`, or `leaving`
    answered_at: float | None = None
    ended_at: float | None = None

    @property
    def here(self) -> bool:
        """Called or talking, and not about to go."""
        return self.state is not PartyState.GONE and self.leaving is None

    @property
    def talks(self) -> bool:
        return self.state is PartyState.UP and self.leaving is None


class RecordingStatus(Choice):
    """How a recording stands."""

    ON = "on"
    PAUSED = "paused"
    OVER = "over"


class Recording(msgspec.Struct, frozen=True):
    """A recording of all that is said in the call. `name`: Asterisk's for it, and ours."""

    name: str
    state: RecordingStatus
    started_at: float  # Unix seconds


class Call(msgspec.Struct, frozen=True):
    """One call. Times are Unix seconds; None means that it has not happened.

    `facts`, `asked`, `waiting`, `holds` and `releasing` speak, where they speak of media, of the leg
    number `leg`: a new leg begins with none of them, and what the old one still has becomes `spare`.
    A struct, as it is copied with a change some forty times a call: a dataclass takes thirty times as long for it.
    """

    id: str
    direction: Direction
    target: str  # outbound: the number as dialled; inbound: the number that was called
    caller: str  # outbound: who calls, as shown to the far side; inbound: the caller's number
    created_at: float
    caller_name: str = ""
    state: CallState = CallState.TRYING
    user: str | None = None  # whose page holds the call; inbound: None until accepted
    session: str | None = None  # of the page that holds the call; None: nobody's, as with plain HTTP
    users: frozenset[str] = frozenset()  # inbound: the users whose pages ring
    far_channel: str = ""  # ARI channel id of the far leg
    far_number: str = ""  # who is there now, as Asterisk tells it (connected line); "": as dialled, or as called
    far_name: str = ""
    endpoint: str = ""  # outbound: what Asterisk dials, e.g. PJSIP/7001@trunk
    leg: int = 1  # the number of the media leg in use, or being made
    last_leg: int = 1  # the highest number that a leg has had: none is given twice
    offer: str = ""  # the browser's SDP; empty until it is known
    answer: str = ""  # the SDP for the browser; empty until it is known
    media_address: RtpAddress | None = None  # where rtpengine takes Asterisk's RTP
    external_media_address: RtpAddress | None = None  # where Asterisk takes rtpengine's
    facts: frozenset[Fact] = frozenset()
    asked: frozenset["Step"] = frozenset()  # set-up steps that were begun
    waiting: frozenset["Step"] = frozenset()  # of these, the ones without a result yet
    holds: frozenset[Resource] = frozenset()  # made, or perhaps made, and not released yet
    releasing: frozenset[Resource] = frozenset()  # of these, the ones being released
    spare: frozenset[SupersededResource] = frozenset()  # what earlier legs still have
    spare_releasing: frozenset[SupersededResource] = frozenset()  # of these, the ones being released
    stale: frozenset[tuple["Step", int]] = frozenset()  # steps of earlier legs without a result yet
    standing: StandingLeg | None = None  # of these, the one that can be used again
    owner_away: bool = False  # no connection of the page that holds the call stands
    media_lost: bool = False  # the leg is gone: the page must give a new offer
    silent: bool = False  # nothing is heard of the page though it ought to be
    music: bool = False  # the far side hears music meanwhile
    held: bool = False  # by our side
    apart: bool = False  # nothing goes between our media leg and the bridge
    held_by_far: bool = False
    parties: tuple[Party, ...] = ()  # besides the far side, those that have gone as well
    transferring: int = 0  # the number of the party that takes our side's place once it has answered
    left: Outcome | None = None  # our side has left, and how that is told; the others go on
    left_at: float | None = None
    recordings: tuple[Recording, ...] = ()
    prefer: str = ""  # the codec for the browser: "opus", "pcmu"; "": what the server prefers
    ring_seconds: float = 0.0  # how long it may ring; 0: as long as the server is set to
    dial_status: str = ""  # outbound: what the last ARI `Dial` event said, e.g. BUSY
    moved_to: str = ""  # outbound: the number that the far side names in its place
    hangup_q850: int = 0  # the cause in the far side's hang-up request; 0 where none came
    dialplan_status: str = ""  # inbound: set when the caller goes back to the dialplan (ARI_BRIDGE_STATUS)
    forward: str = (
        ""  # inbound: what the dialplan is to do where nobody takes it: a number, "voicemail", or "": as it is set
    )
    ownerless: bool = False  # found in Asterisk, and no record tells whose it is
    deadlines: Deadlines = ()  # of the timers that run and outlive the process
    outcome: Outcome | None = None  # set when the call is decided to end, never changed
    cause: Cause | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None  # when it was decided to end, not when all was released

    def party(self, number: int) -> Party | None:
        """The party with this number, from 2 on, also one that has gone."""
        return self.parties[number - 2] if 2 <= number <= len(self.parties) + 1 else None

    @property
    def far_is_here(self) -> bool:
        return Resource.FAR in self.holds - self.releasing and Fact.FAR_LEFT not in self.facts

    @property
    def recording(self) -> Recording | None:
        """The one that runs, or is paused."""
        last = self.recordings[-1] if self.recordings else None
        return last if last and last.state is not RecordingStatus.OVER else None


class Step(Choice):
    """One request of the set-up plan. The value names it in logs and metrics."""

    @property
    def of_leg(self) -> bool:
        """Whether it is done anew for every media leg."""
        return self in _STEPS_OF_A_LEG

    @property
    def of_party(self) -> bool:
        """Whether it is done for each further party."""
        return self in _STEPS_OF_A_PARTY

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
    CREATE_PARTY = "create_party"
    DIAL_PARTY = "dial_party"
    BRIDGE_PARTY = "bridge_party"


_STEPS_OF_A_LEG = {
    Step.OFFER_MEDIA,
    Step.REOFFER_MEDIA,
    Step.ANSWER_MEDIA,
    Step.CREATE_EXTERNAL_MEDIA,
    Step.BRIDGE_EXTERNAL_MEDIA,
}
_STEPS_OF_A_PARTY = {Step.CREATE_PARTY, Step.DIAL_PARTY, Step.BRIDGE_PARTY}
FACTS_OF_A_LEG = frozenset(
    {
        Fact.MEDIA_OFFERED,
        Fact.MEDIA_ANSWERED,
        Fact.EXTERNAL_MEDIA_CREATED,
        Fact.EXTERNAL_MEDIA_ENTERED,
        Fact.EXTERNAL_MEDIA_BRIDGED,
        Fact.LEG_REUSED,
    }
)
