"""Which fields of a call are persisted, and in which form.

JSON, so that `sqlite3` is all it takes to read it. A row of an older version lacks fields: they get their defaults. One
of a newer version has more: they are ignored.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from ari_bridge.call_store import clock
from ari_bridge.call_store.clock import Clock
from ari_bridge.fsm import timeline
from ari_bridge.fsm.call import Call, CallState, MediaLeg
from ari_bridge.ids import stem_of
from ari_bridge.net import RtpAddress

log = structlog.get_logger(__name__)

PERSISTED_FIELDS = (
    "id",
    "direction",
    "target",
    "caller",
    "created_at",
    "caller_name",
    "state",
    "user",
    "session",
    "users",
    "far_channel",
    "far_number",
    "far_name",
    "endpoint",
    "near",
    "phone",
    "last_leg",
    "held",
    "held_by_far",
    "parties",
    "transferring",
    "left_outcome",
    "left_at",
    "recordings",
    "metadata",
    "prefer",
    "ring_seconds",
    "forward",
    "dial_status",
    "redirected_to",
    "hangup_q850",
    "dialplan_status",
    "ownerless",
    "deadlines",
    "outcome",
    "cause",
    "ringing_at",
    "answered_at",
    "ended_at",
)
TRANSIENT_FIELDS = (  # learned from the peers
    "milestones",
    "started",
    "pending",
    "allocated",
    "releasing",
    "old_legs",
    "owner_away",
    "media_lost",
    "client_silent",
    "moh_on",
    "isolated",
)
"""Every field of `Call` but `leg` is in one of the two; a test checks it."""

CLOCK_TOLERANCE_S = 1.0
"""Seconds: a wall clock that differs by less was only kept in time."""

_LEG_FIELDS = ("number", "media_address", "external_media_address")

_values: Callable[[Call], tuple[Any, ...]] = attrgetter(*PERSISTED_FIELDS)
_leg_values: Callable[[MediaLeg], tuple[Any, ...]] = attrgetter(*_LEG_FIELDS)
_stored_names = dict(zip(Call.__struct_fields__, Call.__struct_encode_fields__, strict=True))
_stored = (*(_stored_names[name] for name in PERSISTED_FIELDS), "leg", *_LEG_FIELDS[1:])
_decoder = msgspec.json.Decoder(Call)


class _Written(msgspec.Struct, frozen=True):
    """Beside the fields of a call: of its present media leg what no peer tells, and the clock if it has not ended."""

    leg: int | None = None  # its number; with no present leg, the one that the next will have
    media_address: RtpAddress | None = None
    external_media_address: RtpAddress | None = None
    clock: Clock | None = None

    def media_leg(self, last_leg: int) -> MediaLeg | None:
        if self.leg is None or self.leg > last_leg:
            return None
        return MediaLeg(self.leg, "", "", self.media_address, self.external_media_address)


_written = msgspec.json.Decoder(_Written)


class Row(msgspec.Struct, frozen=True):
    """One call as it is stored. Of two rows of one call the one with the higher revision counts."""

    id: str  # the call's stem (`ids.stem_of`), by which what Asterisk has is found again: mostly its id itself
    revision: int
    created_at: float  # Unix seconds
    ended_at: float | None  # None: the call has not reached its last state
    record: msgspec.Raw

    @property
    def ended(self) -> bool:
        return self.ended_at is not None


def persisted_values(call: Call) -> tuple[Any, ...]:
    """The persisted fields' values, to be compared: if they are equal, the row need not be written again."""
    return _values(call) + _leg_values(call.leg or MediaLeg(call.last_leg + 1))


def to_row(call: Call, revision: int, now: float) -> Row:
    """Raises UnicodeEncodeError if a text of the call cannot be encoded (a lone surrogate)."""
    ended_at = (call.ended_at or now) if call.state is CallState.ENDED else None
    fields = dict(zip(_stored, persisted_values(call), strict=True))
    if call.deadlines or call.state is not CallState.ENDED:
        fields["clock"] = clock.read()
    record = msgspec.json.encode(fields)
    return Row(stem_of(call.id), revision, call.created_at, ended_at, msgspec.Raw(record))


def to_call(row: Row) -> Call:
    """Raises msgspec.ValidationError, DecodeError."""
    call = _decoder.decode(row.record)
    written = _written.decode(row.record)
    call = replace(call, leg=written.media_leg(call.last_leg))
    if written.clock:
        now = clock.read()
        set_by = clock.set_by(written.clock, now)
        call = replace(call, deadlines=clock.as_of(call.deadlines, written.clock, now))
        return call if row.ended or abs(set_by) <= CLOCK_TOLERANCE_S else timeline.shifted(call, set_by)
    return replace(call, deadlines=()) if call.deadlines else call


def to_call_or_none(row: Row) -> Call | None:
    """As `to_call`; None, and a line in the log, for a row that cannot be decoded."""
    try:
        return to_call(row)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.error("cannot decode the stored row of a call", call=row.id, reason=str(error))
        return None
