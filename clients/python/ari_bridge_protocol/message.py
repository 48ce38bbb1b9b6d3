"""What all messages have in common: their base, and the words for states."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ClientState = Annotated[
    Literal["trying", "ringing", "early", "accepted", "ended"],
    Meta(description="A call's state as clients see it; `ended` is the last and comes once."),
]
PartyState = Literal["trying", "ringing", "accepted"]
RecordingState = Literal["off", "on", "paused"]
QualityWarning = Literal["mos", "rtt", "jitter", "loss"]
PersonState = Literal["offline", "available", "ringing", "in_call", "do_not_disturb"]


class Message(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of every message; unknown fields are ignored, so the protocol can grow."""
