"""What becomes of a call, as those who follow it are told: each is one fact, with the call as it is then."""

from collections.abc import Callable
from dataclasses import dataclass

from ari_bridge.fsm.call import Call
from ari_bridge.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class MediaReady:
    """The SDP answer for the browser."""

    call: Call
    sdp: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    call: Call


@dataclass(frozen=True, slots=True)
class DigitReceived:
    call: Call
    digit: str


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """`by_us`: whose hold it is; how it stands is in the call."""

    call: Call
    by_us: bool


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """What our side asked for (`what`: hold, digits, record) has come to nothing: the PBX did not do it."""

    call: Call
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartyChanged:
    """One party stands otherwise than before, or has gone; 1 is the far side."""

    call: Call
    party: int


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """`failure` None: the party has our side's place."""

    call: Call
    party: int
    failure: Outcome | None


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """`failure`: why it ended though nobody wanted that."""

    call: Call
    failure: str = ""


@dataclass(frozen=True, slots=True)
class MediaNeeded:
    """The media leg is gone: the page must give a new offer."""

    call: Call
    reason: str


Update = (
    MediaReady
    | StateChanged
    | DigitReceived
    | HoldChanged
    | RequestRefused
    | PartyChanged
    | TransferEnded
    | RecordingChanged
    | MediaNeeded
)
Listener = Callable[[Update], None]
"""Sync and quick. Gets the call's updates in order; the SDP answer comes before every state but `ended`."""
