"""What the listeners of a call are notified of: one fact each, with the call as it is at that moment.

A rule returns `actions.Notify(notification)`; the task hands the notification, and the call, to the listeners. Pure.
"""

from dataclasses import dataclass

from ari_bridge.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class MediaReady:
    """`call.answer` is the SDP answer for the browser. Precedes every state except `ended`."""


@dataclass(frozen=True, slots=True)
class MediaNeeded:
    """The media leg was lost: the page must send a new offer."""

    reason: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    """`call.state`, or how the call ended."""


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """The far side, or a party, pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """`by_us`: our side's hold (`call.held`), or the far side's (`call.held_by_far`)."""

    by_us: bool


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A request of our side (`what`: hold, digits, record) failed: the PBX did not do it."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartyChanged:
    """The state of one party, or who it is; 1 is the far side."""

    party: int


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """The result of a transfer to this party. `failure` None: it has taken our side's place."""

    party: int
    failure: Outcome | None


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """`failure`: why it ended without being stopped."""

    failure: str = ""


Notification = (
    MediaReady
    | MediaNeeded
    | StateChanged
    | DigitReceived
    | HoldChanged
    | RequestRefused
    | PartyChanged
    | TransferEnded
    | RecordingChanged
)
