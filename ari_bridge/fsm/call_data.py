"""The JSON form of a call, for plugins and for clients of the HTTP API. Pure. Names are in camelCase; it has no SDP.

Of guests it has the shown names: it is told to others than the guest.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ari_bridge.fsm.call import Call, CallState, Direction, Party, PartyState, RecordingStatus
from ari_bridge.guest_names import shown_name
from ari_bridge.outcomes import Cause, Detail, Outcome


class CauseData(msgspec.Struct, frozen=True, rename="camel"):
    """Why a call ended, for support."""

    q850: Annotated[int, Meta(description="ITU-T Q.850 cause; 0 if unknown")]
    sip: Annotated[int, Meta(description="the closest SIP status; 0 if there is none")]
    text: Annotated[str, Meta(description="in words")]
    detail: Annotated[Detail | None, Meta(description="the reason in more detail than `outcome`")] = None
    forward: Annotated[str, Meta(description="the number that the far side redirects to")] = ""


class PartyData(msgspec.Struct, frozen=True, rename="camel"):
    """A participant besides the user and the far side. Times are Unix seconds; null: it has not happened."""

    party: Annotated[int, Meta(description="its number in the call, from 2 on: the far side is 1")]
    number: Annotated[str, Meta(description="as dialled, or the caller's")]
    name: str
    state: PartyState
    outcome: Annotated[Outcome | None, Meta(description="with `ended`")]
    answered_at: float | None
    ended_at: float | None


class CallRecording(msgspec.Struct, frozen=True, rename="camel"):
    """A recording of the call."""

    name: Annotated[str, Meta(description="its name in `/recordings` once the call has ended")]
    state: RecordingStatus


class CallData(msgspec.Struct, frozen=True, rename="camel"):
    """A call as it is now. Times are Unix seconds; null: it has not happened."""

    call_id: str
    direction: Direction
    state: Annotated[
        CallState,
        Meta(description="`accepting`: incoming, accepted, media is being set up. `ending`: being released"),
    ]
    target: Annotated[str, Meta(description="the number that was dialled or called")]
    caller: Annotated[str, Meta(description="the caller id shown to the far side; incoming: the caller's number")]
    caller_name: str
    connected_number: Annotated[
        str,
        Meta(description='the connected line, as Asterisk reports it; "": unchanged since the call was placed'),
    ]
    connected_name: str
    user: Annotated[
        str | None,
        Meta(description="whose call it is (a guest's: `guest-<id of the key>`); null: no user's, or not accepted yet"),
    ]
    users: Annotated[list[str], Meta(description="incoming: those whose pages ring")]
    held: Annotated[bool, Meta(description="by our side")]
    held_by_far: bool
    parties: Annotated[
        list[PartyData], Meta(description="added to the call, or joined from another, including those that have left")
    ]
    transferring: Annotated[str | None, Meta(description="the number that the call is being transferred to")]
    left: Annotated[
        Outcome | None, Meta(description="set when our side has left and the others continue: the outcome for its user")
    ]
    left_at: float | None
    recordings: list[CallRecording]
    outcome: Annotated[Outcome | None, Meta(description="set when the call is decided to end")]
    cause: Annotated[CauseData | None, Meta(description="once the call has ended")]
    created_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float | None
    ownerless: Annotated[
        bool, Meta(description="it was found active without a record of whose it is: only an operator can end it")
    ] = False
    near: Annotated[
        Literal["page", "sip"],
        Meta(description="by what the user takes part: `page`: a media leg, as browsers have it; `sip`: a SIP client"),
    ] = "page"
    metadata: Annotated[
        dict[str, str],
        Meta(description="of the client token that it was placed or accepted with"),
    ] = {}

    @classmethod
    def of(cls, call: Call) -> "CallData":
        taker = call.party(call.transferring)
        return cls(
            call_id=call.id,
            direction=call.direction,
            state=call.state,
            target=shown_name(call.target),
            caller=shown_name(call.caller),
            caller_name=call.caller_name,
            connected_number=shown_name(call.far_number),
            connected_name=call.far_name,
            user=call.user and shown_name(call.user),
            users=sorted(map(shown_name, call.users)),
            held=call.held,
            held_by_far=call.held_by_far,
            near="sip" if call.near else "page",
            parties=list(map(_party, call.parties)),
            transferring=shown_name(taker.target) if taker else None,
            left=call.left_outcome,
            left_at=call.left_at,
            recordings=[CallRecording(one.name, one.state) for one in call.recordings],
            outcome=call.outcome,
            cause=cause_data(call.cause) if call.cause else None,
            created_at=call.created_at,
            ringing_at=call.ringing_at,
            answered_at=call.answered_at,
            ended_at=call.ended_at,
            ownerless=call.ownerless,
            metadata=call.metadata,
        )


def cause_data(cause: Cause) -> CauseData:
    return CauseData(cause.q850, cause.sip, cause.text, cause.detail, cause.forward)


def _party(party: Party) -> PartyData:
    return PartyData(
        party=party.number,
        number=shown_name(party.target),
        name=party.name,
        state=party.state,
        outcome=party.outcome,
        answered_at=party.answered_at,
        ended_at=party.ended_at,
    )
