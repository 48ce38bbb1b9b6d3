"""A call detail record: what is kept of a call for people who ask later. Pure.

Knows what a call is; knows no database and no clock.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ari_bridge.event_log import EventCall
from ari_bridge.fsm.call import Call, Direction, Party
from ari_bridge.outcomes import Outcome


class Cdr(msgspec.Struct, frozen=True, rename="camel"):
    """One ended call. Times are Unix seconds; None means that it did not happen.

    Its names in JSON are in camelCase, its columns in the table as here.
    """

    call_id: str
    direction: Direction
    caller: str
    caller_name: str
    target: Annotated[str, Meta(description="the number as dialled, or the called number")]
    user: Annotated[str, Meta(description='the user of the call, who may see it; "" if it has none')]
    tenant: Annotated[str, Meta(description='"": the only tenant')]
    created_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: Annotated[float, Meta(description="when it was decided to end")]
    talk_seconds: Annotated[
        float, Meta(description="from the answer until our user left or the call ended; 0 if it was not answered")
    ]
    outcome: Outcome
    q850: Annotated[int, Meta(description="ITU-T Q.850 cause; 0 if Asterisk reported none")]
    sip: Annotated[int, Meta(description="the closest SIP status; 0 if there is none")]
    cause: Annotated[str, Meta(description="the cause in words, for support")]
    codecs: Annotated[str, Meta(description='"": unknown')] = ""
    parties: Annotated[
        tuple[dict[str, Any], ...],
        Meta(description="parties besides the far side: party, number, name, outcome, answeredAt, endedAt"),
    ] = ()
    transferred_to: Annotated[str, Meta(description="the number that took our user's place")] = ""
    recording: Annotated[tuple[str, ...], Meta(description="names of recordings")] = ()
    quality: Annotated[dict[str, Any], Meta(description="{}: unknown")] = {}
    feedback: Annotated[dict[str, Any], Meta(description="{}: not rated")] = {}
    connected_number: Annotated[
        str, Meta(description='the last connected line, as Asterisk reported it; "": as dialled, or the caller')
    ] = ""
    connected_name: str = ""
    metadata: Annotated[
        dict[str, str], Meta(description="of the client token that it was placed or accepted with; {}: of none")
    ] = {}


def from_call(call: Call) -> Cdr:
    """The record of a call that has an outcome. Raises ValueError if it has none yet."""
    if call.outcome is None or call.ended_at is None:
        raise ValueError(f"call {call.id} has not ended")
    return Cdr(
        call_id=call.id,
        direction=call.direction,
        caller=_text(call.caller),
        caller_name=_text(call.caller_name),
        target=_text(call.target),
        user=_text(owner(call)),
        tenant="",  # SEAM: call.tenant
        created_at=call.created_at,
        ringing_at=call.ringing_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        talk_seconds=_talked(call, call.ended_at),
        outcome=call.left_outcome or call.outcome,  # our user's outcome; the other parties may have continued
        q850=call.cause.q850 if call.cause else 0,
        sip=call.cause.sip if call.cause else 0,
        cause=_text(call.cause.text) if call.cause else "",
        parties=tuple(map(_party, call.parties)),
        transferred_to=_transferred_to(call),
        recording=tuple(recording.name for recording in call.recordings),
        connected_number=_text(call.far_number),
        connected_name=_text(call.far_name),
        metadata={_text(name): _text(value) for name, value in call.metadata.items()},
        # `codecs` and `quality` are not the call's: the writer knows them. `feedback` is given after the end.
    )


def _talked(call: Call, ended_at: float) -> float:
    """Until our user left; those who went on without him are not his."""
    return 0.0 if call.answered_at is None else max(0.0, (call.left_at or ended_at) - call.answered_at)


def _party(party: Party) -> dict[str, Any]:
    """In the words of `call_data`."""
    return {
        "party": party.number,
        "number": _text(party.target),
        "name": _text(party.name),
        "outcome": party.outcome.value if party.outcome else None,
        "answeredAt": party.answered_at,
        "endedAt": party.ended_at,
    }


def _transferred_to(call: Call) -> str:
    """Who took our user's place: the last party that answered; "" if none did."""
    answered = [party.target for party in call.parties if party.answered_at is not None]
    return _text(answered[-1]) if answered and call.left_outcome is Outcome.TRANSFERRED else ""


def owner(call: Call | EventCall) -> str:
    """Whose call it is. A missed one is the user's whose pages rang; where none did, of the number that was called.

    If the clients of several users rang and none accepted, it has no owner.
    """
    if call.user is not None:
        return call.user
    if call.direction is Direction.OUTBOUND:
        return ""
    if len(call.users) == 1:
        return next(iter(call.users))
    return call.target if not call.users or call.target in call.users else ""


def _text(text: str) -> str:
    """What every database keeps: PostgreSQL refuses NUL, UTF-8 has no lone surrogates. Callers choose their names."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
