"""The endpoints for calls, and on who signs in: what they take and what they answer."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ari_bridge.fsm.call import CallState, Direction, PartyState
from ari_bridge.fsm.call_data import CallData, PartyData
from ari_bridge.ids import CALL_ID_CHARACTERS
from ari_bridge.outcomes import Outcome
from ari_bridge_protocol.messages import ClientState
from frontend.http import examples
from frontend.http.endpoint import HEADER, Endpoint, Nothing, ResponseSpec

CALLS, SIGNING_IN, SERVER = "Calls", "Signing in", "The server"

ToDial = Annotated[str, Meta(description="A number, as people write it.", examples=["600"])]
ChosenId = Annotated[str, Meta(min_length=1, max_length=CALL_ID_CHARACTERS, examples=["order-4711"])]
IdempotencyKey = Annotated[
    str | None, Meta(min_length=1, max_length=255, pattern="^[ -~]+$", examples=["order-4711"]), HEADER
]


# --- requests -----------------------------------------------------------


class KeyedParameters(msgspec.Struct, frozen=True):
    idempotency_key: Annotated[
        IdempotencyKey,
        Meta(
            description="Asked again with the same key, nothing is done twice: the answer is the same. Kept for "
            "24 hours."
        ),
    ] = msgspec.field(default=None, name="Idempotency-Key")


class CallPath(msgspec.Struct, frozen=True, rename="camel"):
    call_id: Annotated[str, Meta(description="of the call")]


class KeyedCallPath(CallPath, frozen=True):
    idempotency_key: Annotated[
        IdempotencyKey,
        Meta(
            description="Asked again with the same key, nothing is done twice: the answer is the same. Kept for "
            "24 hours."
        ),
    ] = msgspec.field(default=None, name="Idempotency-Key")


class PartyPath(CallPath, frozen=True, rename="camel"):
    party: Annotated[int, Meta(description="its number in the call, 1 for the far side")]


class Invite(msgspec.Struct, frozen=True, rename="camel"):
    """Whom to call, and the browser's offer."""

    target: ToDial
    sdp: Annotated[str, Meta(description="as `createOffer` made it; ICE candidates need not be gathered first")]
    caller: Annotated[str | None, Meta(description="shown to the far side; with sign-in on it is the user")] = None
    call_id: Annotated[
        ChosenId | None, Meta(description="1 to 128 printable characters, chosen by you; else made by the server")
    ] = None
    prefer: Annotated[
        Literal["opus", "pcmu"] | None, Meta(description="the codec of your side; else as the server is set")
    ] = None


class HoldBody(msgspec.Struct, frozen=True, rename="camel"):
    held: Annotated[bool, Meta(description="false: take the others back")] = True


class TransferBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of both."""

    target: Annotated[
        str | None, Meta(description="blind: this number is called, and takes your place when it answers")
    ] = None
    to_call_id: Annotated[
        str | None, Meta(description="attended: the other parties of both calls are connected, and both calls end here")
    ] = None


class PartyBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of both."""

    target: Annotated[str | None, Meta(description="this number is called, and joins when it answers")] = None
    from_call_id: Annotated[
        str | None, Meta(description="the party of that other call of yours joins at once, and that call ends")
    ] = None


class RecordBody(msgspec.Struct, frozen=True, rename="camel"):
    action: Literal["start", "pause", "resume", "stop"]


class DtmfBody(msgspec.Struct, frozen=True, rename="camel"):
    digits: Annotated[str, Meta(pattern="^[0-9*#A-D]{1,32}$")]


class FeedbackBody(msgspec.Struct, frozen=True, rename="camel"):
    score: Annotated[int, Meta(ge=1, le=5, description="5 is best")]
    issue: Literal["echo", "choppy", "one_way", "delay", "noise", "dropped"] | None = None
    comment: Annotated[str, Meta(max_length=500)] = ""


class Credentials(msgspec.Struct, frozen=True):
    user: str
    password: str


# --- responses --------------------------------------------------------


class Placed(msgspec.Struct, frozen=True, rename="camel"):
    """A call that was begun. The far side has not answered yet."""

    call_id: str
    sdp: Annotated[str, Meta(description="the SDP answer, for `setRemoteDescription`")]
    state: ClientState


class SessionData(msgspec.Struct, frozen=True, rename="camel"):
    token: Annotated[str, Meta(description="for `Authorization: Bearer TOKEN`")]
    user: str
    expires_at: Annotated[float, Meta(description="Unix seconds")]


class PhoneBookEntry(msgspec.Struct, frozen=True):
    number: str
    name: str


class ConfigData(msgspec.Struct, frozen=True, rename="camel"):
    """What a page needs to know before anybody signs in."""

    version: str
    authentication: Annotated[bool, Meta(description="calls need a token")]
    recording: Annotated[bool, Meta(description="calls can be recorded")]
    preflight_number: Annotated[str, Meta(description='an echo, for trying the connection; "": there is none')]
    feedback: Annotated[bool, Meta(description="it can be given after a call")]
    phone_book: list[PhoneBookEntry]


# --- the endpoints ----------------------------------------------------------

EXAMPLE_CALL = CallData(
    call_id=examples.CALL_ID,
    direction=Direction.OUTBOUND,
    state=CallState.UP,
    target="600",
    caller="1001",
    caller_name="",
    connected_number="",
    connected_name="",
    user="1001",
    users=[],
    held=False,
    held_by_far=False,
    parties=[PartyData(2, "700", "", PartyState.RINGING, None, None, None)],
    transferring=None,
    left=None,
    left_at=None,
    recordings=[],
    outcome=None,
    cause=None,
    created_at=examples.AT,
    ringing_at=examples.AT + 0.25,
    answered_at=examples.AT + 2.5,
    ended_at=None,
)
_ENDED_CALL = msgspec.structs.replace(
    EXAMPLE_CALL, state=CallState.ENDED, parties=[], outcome=Outcome.COMPLETED, ended_at=examples.AT + 60.5
)
_THE_CALL = {"callId": examples.CALL_ID}
_ACCEPTED = "Accepted. Returns the call as it is now; follow progress with `GET /call/{callId}` or `/events`"
_TAG = {"ETag": "What this answer shows, for `If-None-Match` of `GET /call/{callId}`."}
REPEATED = {"Idempotent-Replayed": "`true`: this is the answer to an earlier request with the same Idempotency-Key."}
_KEY_PROBLEMS = ("idempotency_key_reused", "in_progress", "in_doubt")
_COMMAND_PROBLEMS = ("unknown_call", "wrong_state", "too_many", "unavailable")


def _command(
    name: str,
    path: str,
    summary: str,
    body: Any,
    example: msgspec.Struct | None,
    description: str = "",
    problems: tuple[str, ...] = (),
) -> Endpoint[KeyedCallPath, Any]:
    return Endpoint(
        name=name,
        method="POST",
        path=f"/call/{{callId}}/{path}",
        tag=CALLS,
        summary=summary,
        description=description,
        parameters=KeyedCallPath,
        body=body,
        responses={
            202: ResponseSpec(description=_ACCEPTED, shape=CallData, headers=REPEATED | _TAG, example=EXAMPLE_CALL)
        },
        problems=(*_COMMAND_PROBLEMS, *_KEY_PROBLEMS, *problems),
        example=_THE_CALL,
        example_body=example,
    )


PLACE = Endpoint(
    name="placeCall",
    method="POST",
    path="/invite",
    tag=CALLS,
    summary="Call a number",
    description=(
        "Answered as soon as there is an SDP answer: the far side has not answered yet then. Nobody's page holds the "
        "call, so it goes on until it is hung up. A client that goes away before it has the answer ends the call."
    ),
    parameters=KeyedParameters,
    body=Invite,
    responses={
        201: ResponseSpec(
            description="The call has begun",
            shape=Placed,
            headers=REPEATED,
            example=Placed(examples.CALL_ID, examples.ANSWER, "trying"),
        )
    },
    problems=(
        "invalid_sdp",
        "invalid_target",
        "wrong_state",
        "too_many",
        "call_failed",
        "unavailable",
        *_KEY_PROBLEMS,
    ),
    example_body=Invite(target="600", sdp=examples.OFFER),
)
HANG_UP = Endpoint(
    name="hangUp",
    method="DELETE",
    path="/call/{callId}",
    tag=CALLS,
    summary="End a call",
    description="At any moment of it; of one that has ended, nothing is changed.",
    parameters=CallPath,
    body=Nothing,
    responses={204: ResponseSpec(description="It is being hung up, or has ended already")},
    problems=("unknown_call",),
    example=_THE_CALL,
)
HOLD = _command(
    "holdCall",
    "hold",
    "Hold a call, or take it back",
    HoldBody,
    HoldBody(held=True),
    "While it is held, the others hear music, and nothing of this side.",
)
TRANSFER = _command(
    "transferCall",
    "transfer",
    "Give the other party to somebody else",
    TransferBody,
    TransferBody(target="700"),
    "The call ends with outcome `transferred` once it has worked. Where it has not, the talk goes on.",
    ("invalid_target",),
)
ADD_PARTY = _command(
    "addParty",
    "parties",
    "Make a conference: one more party",
    PartyBody,
    PartyBody(target="700"),
    problems=("invalid_target",),
)
DROP_PARTY = Endpoint(
    name="dropParty",
    method="DELETE",
    path="/call/{callId}/parties/{party}",
    tag=CALLS,
    summary="Let one party go",
    description="One that is still being called is called no more; of the target of a transfer: it is taken back.",
    parameters=PartyPath,
    body=Nothing,
    responses={204: ResponseSpec(description="It is being hung up")},
    problems=("unknown_call", "wrong_state"),
    example={**_THE_CALL, "party": "2"},
)
LEAVE = _command(
    "leaveCall",
    "leave",
    "Leave a call that goes on without you",
    Nothing,
    None,
    "There must be two others, or one and a transfer's target.",
)
RECORD = _command("recordCall", "record", "Record what is said in a call", RecordBody, RecordBody(action="start"))
DTMF = _command("sendDigits", "dtmf", "Send digits (DTMF) to everybody in a call", DtmfBody, DtmfBody(digits="42#"))
FEEDBACK = Endpoint(
    name="giveFeedback",
    method="POST",
    path="/call/{callId}/feedback",
    tag=CALLS,
    summary="Say how a call was",
    description="Within a day after its end; the last one counts.",
    parameters=KeyedCallPath,
    body=FeedbackBody,
    responses={
        202: ResponseSpec(
            description="It is kept. The call as it stands",
            shape=CallData,
            headers=REPEATED | _TAG,
            example=_ENDED_CALL,
        )
    },
    problems=("unknown_call", "wrong_state", "too_many", "unavailable", *_KEY_PROBLEMS),
    example=_THE_CALL,
    example_body=FeedbackBody(score=4, issue="echo"),
)
SIGN_IN = Endpoint(
    name="signIn",
    method="POST",
    path="/session",
    tag=SIGNING_IN,
    summary="Sign in with a password",
    description="After ten wrong passwords for a name from one address, the next tries are taken at a slower pace: an "
    "answer may take some seconds, and what would take longer is refused (`too_many`). Others of the same address, and "
    "the same name elsewhere, are not held up by it.",
    parameters=Nothing,
    body=Credentials,
    responses={
        200: ResponseSpec(
            description="Signed in",
            shape=SessionData,
            example=SessionData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl", "1001", examples.AT + 43200),
        )
    },
    problems=("unauthorized", "too_many", "unavailable"),
    public=True,
    example_body=Credentials("1001", "correct horse battery staple"),
)
RENEW_SIGN_IN = Endpoint(
    name="renewSignIn",
    method="POST",
    path="/session/renew",
    tag=SIGNING_IN,
    summary="Another token, with one that still holds",
    description="For pages that stay open for days. The answer is no where the password was given more than seven days "
    "ago, or is another one since.",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The new token; the old one holds until its end",
            shape=SessionData,
            example=SessionData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl", "1001", examples.AT + 43200),
        )
    },
    problems=("unauthorized",),
)
CONFIG = Endpoint(
    name="showConfig",
    method="GET",
    path="/config",
    tag=SIGNING_IN,
    summary="What a page needs to know before anybody signs in",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="How the server is set",
            shape=ConfigData,
            example=ConfigData("0.1.0", True, True, "600", True, [PhoneBookEntry("600", "Echo")]),
        )
    },
    public=True,
)

ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    SIGN_IN,
    RENEW_SIGN_IN,
    CONFIG,
    PLACE,
    HANG_UP,
    HOLD,
    TRANSFER,
    ADD_PARTY,
    DROP_PARTY,
    LEAVE,
    RECORD,
    DTMF,
    FEEDBACK,
)
