"""The endpoints for calls and for signing in: their requests and responses."""

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
from frontend.http.problems import INCOMPLETE_SIGN_IN

CALLS, SIGNING_IN, SERVER = "Calls", "Signing in", "The server"

ToDial = Annotated[str, Meta(description="a phone number, with or without separators", examples=["600"])]
ChosenId = Annotated[str, Meta(min_length=1, max_length=CALL_ID_CHARACTERS, examples=["order-4711"])]
IdempotencyKey = Annotated[
    str | None, Meta(min_length=1, max_length=255, pattern="^[ -~]+$", examples=["order-4711"]), HEADER
]


# --- requests -----------------------------------------------------------


class KeyedParameters(msgspec.Struct, frozen=True):
    idempotency_key: Annotated[
        IdempotencyKey,
        Meta(
            description="Repeating the request with the same key has no further effect and returns the same "
            "response, for 24 hours."
        ),
    ] = msgspec.field(default=None, name="Idempotency-Key")


class CallPath(msgspec.Struct, frozen=True, rename="camel"):
    call_id: Annotated[str, Meta(description="the id of the call")]


class KeyedCallPath(CallPath, frozen=True):
    idempotency_key: Annotated[
        IdempotencyKey,
        Meta(
            description="Repeating the request with the same key has no further effect and returns the same "
            "response, for 24 hours."
        ),
    ] = msgspec.field(default=None, name="Idempotency-Key")


class PartyPath(CallPath, frozen=True, rename="camel"):
    party: Annotated[int, Meta(description="the party's number in the call; 1 is the far side")]


class Invite(msgspec.Struct, frozen=True, rename="camel"):
    """The number to call, and the browser's offer."""

    target: ToDial
    sdp: Annotated[
        str, Meta(description="the offer that `createOffer` returned; ICE candidates need not be gathered first")
    ]
    caller: Annotated[str | None, Meta(description="shown to the far side; if sign-in is on, the user")] = None
    call_id: Annotated[
        ChosenId | None, Meta(description="1 to 128 printable characters; default: chosen by the server")
    ] = None
    prefer: Annotated[
        Literal["opus", "pcmu"] | None, Meta(description="the codec of your side; default: the server's setting")
    ] = None


class HoldBody(msgspec.Struct, frozen=True, rename="camel"):
    held: Annotated[bool, Meta(description="false: resume")] = True


class TransferBody(msgspec.Struct, frozen=True, rename="camel"):
    """Either `target` or `toCallId`."""

    target: Annotated[
        str | None, Meta(description="blind: this number is called, and takes your place when it answers")
    ] = None
    to_call_id: Annotated[
        str | None, Meta(description="attended: the other parties of both calls are connected, and both calls end here")
    ] = None


class PartyBody(msgspec.Struct, frozen=True, rename="camel"):
    """Either `target` or `fromCallId`."""

    target: Annotated[str | None, Meta(description="this number is called, and joins when it answers")] = None
    from_call_id: Annotated[
        str | None, Meta(description="the party of another call of yours joins at once, and that call ends")
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
    cookie: Annotated[
        bool,
        Meta(description="for pages of this server: a cookie has the refresh token, and the response has not"),
    ] = False


# --- responses --------------------------------------------------------


class Placed(msgspec.Struct, frozen=True, rename="camel"):
    """A call that was started. The far side has not answered yet."""

    call_id: str
    sdp: Annotated[str, Meta(description="the SDP answer, for `setRemoteDescription`")]
    state: ClientState


class SessionData(msgspec.Struct, frozen=True, rename="camel"):
    token: Annotated[str, Meta(description="for `Authorization: Bearer TOKEN`")]
    user: str
    expires_at: Annotated[float, Meta(description="Unix seconds")]
    refresh_token: Annotated[
        str | None, Meta(description="for `POST /session/refresh`, once; null: a cookie has it, or there is none")
    ] = None
    recovery_codes: Annotated[list[str] | None, Meta(description="shown once, when an app is set up")] = None


class PasswordChange(msgspec.Struct, frozen=True, rename="camel"):
    old_password: str
    new_password: Annotated[str, Meta(description="12 characters or more, and none of the common ones")]
    cookie: Annotated[bool, Meta(description="as in `POST /session`")] = False


class PhoneBookEntry(msgspec.Struct, frozen=True):
    number: str
    name: str


class ConfigData(msgspec.Struct, frozen=True, rename="camel"):
    """What a page needs to know before sign-in."""

    version: str
    authentication: Annotated[bool, Meta(description="calls require a token")]
    recording: Annotated[bool, Meta(description="calls can be recorded")]
    preflight_number: Annotated[str, Meta(description='an echo number for testing the connection; "" if there is none')]
    feedback: Annotated[bool, Meta(description="calls can be rated")]
    phone_book: list[PhoneBookEntry]
    min_password_length: Annotated[int, Meta(description="characters that a new password needs")]
    single_sign_on: Annotated[
        str, Meta(description='the name of a provider, if `/auth/oidc/login` signs in there; ""')
    ] = ""


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
_TAG = {"ETag": "The version of the call in this response, for `If-None-Match` of `GET /call/{callId}`."}
REPEATED = {"Idempotent-Replayed": "`true`: this is the response to an earlier request with the same Idempotency-Key."}
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
        "Responds as soon as there is an SDP answer, which is before the far side answers. No page owns the call, so "
        "it continues until it is hung up. If the client disconnects before the response, the call is ended."
    ),
    parameters=KeyedParameters,
    body=Invite,
    responses={
        201: ResponseSpec(
            description="The call was started",
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
    description="In any state. Has no effect on a call that has ended. With `calls:control` also another user's call.",
    parameters=CallPath,
    body=Nothing,
    responses={204: ResponseSpec(description="The call is being hung up, or has ended")},
    problems=("unknown_call",),
    example=_THE_CALL,
)
HOLD = _command(
    "holdCall",
    "hold",
    "Put a call on hold, or resume it",
    HoldBody,
    HoldBody(held=True),
    "While on hold, the others hear music instead of you. With `calls:control` also a call of another user.",
)
_PARTICIPANTS = "Only in calls of your own, whatever your rights."
TRANSFER = _command(
    "transferCall",
    "transfer",
    "Transfer the other party",
    TransferBody,
    TransferBody(target="700"),
    "When the transfer succeeds, the call ends with outcome `transferred`. If it fails, the call continues. "
    + _PARTICIPANTS,
    ("invalid_target",),
)
ADD_PARTY = _command(
    "addParty",
    "parties",
    "Add a party to a call: a conference",
    PartyBody,
    PartyBody(target="700"),
    _PARTICIPANTS,
    problems=("invalid_target",),
)
DROP_PARTY = Endpoint(
    name="dropParty",
    method="DELETE",
    path="/call/{callId}/parties/{party}",
    tag=CALLS,
    summary="Drop a party",
    description="Also one that is still being called. Dropping the target of a transfer cancels the transfer. "
    "With `calls:control` also in a call of another user.",
    parameters=PartyPath,
    body=Nothing,
    responses={204: ResponseSpec(description="The party is being hung up")},
    problems=("unknown_call", "wrong_state"),
    example={**_THE_CALL, "party": "2"},
)
LEAVE = _command(
    "leaveCall",
    "leave",
    "Leave a call, which continues without you",
    Nothing,
    None,
    "There must be two other parties, or one and a transfer's target. With `calls:control` also "
    "another user's call, which then continues without that user.",
)
RECORD = _command("recordCall", "record", "Record a call", RecordBody, RecordBody(action="start"), _PARTICIPANTS)
DTMF = _command(
    "sendDigits",
    "dtmf",
    "Send DTMF digits to all parties of a call",
    DtmfBody,
    DtmfBody(digits="42#"),
    _PARTICIPANTS,
)
FEEDBACK = Endpoint(
    name="giveFeedback",
    method="POST",
    path="/call/{callId}/feedback",
    tag=CALLS,
    summary="Rate a call",
    description="Within a day of its end; the last rating counts.",
    parameters=KeyedCallPath,
    body=FeedbackBody,
    responses={
        202: ResponseSpec(
            description="Stored. Returns the call as it is now",
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
    description=(
        "After ten wrong passwords for a name from one address, further attempts are slowed down: a response may take "
        "some seconds, and an attempt that would wait longer is rejected (`too_many`). Other users at the same "
        "address, and the same user elsewhere, are not affected.\n\n"
        "Where the password does not suffice there is no token yet, but a problem with a `challenge`: for `POST "
        "/session/password`, `POST /session/second-factor`, or `POST /session/second-factor/enrolment`."
    ),
    parameters=Nothing,
    body=Credentials,
    responses={
        200: ResponseSpec(
            description="Signed in",
            shape=SessionData,
            example=SessionData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl", "1001", examples.AT + 900),
        )
    },
    problems=("unauthorized", *INCOMPLETE_SIGN_IN, "too_many", "unavailable"),
    public=True,
    example_body=Credentials("1001", "correct horse battery staple"),
)
SIGN_OUT_EVERYWHERE = Endpoint(
    name="signOutEverywhere",
    method="DELETE",
    path="/sessions",
    tag=SIGNING_IN,
    summary="Sign out everywhere",
    description="All tokens of the user end, this one too; open WebSockets and event streams are closed.",
    parameters=Nothing,
    body=Nothing,
    responses={204: ResponseSpec(description="Signed out")},
    problems=("unavailable",),
)
CHANGE_PASSWORD = Endpoint(
    name="changePassword",
    method="POST",
    path="/me/password",
    tag=SIGNING_IN,
    summary="Change your password",
    description="All that you have signed in to ends, besides what is answered here.",
    parameters=Nothing,
    body=PasswordChange,
    responses={
        200: ResponseSpec(
            description="A token that goes on",
            shape=SessionData,
            example=SessionData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl", "1001", examples.AT + 900),
        )
    },
    problems=("too_many", "unavailable"),
    example_body=PasswordChange("correct horse battery staple", "four other words, all of them long"),
)
CONFIG = Endpoint(
    name="showConfig",
    method="GET",
    path="/config",
    tag=SIGNING_IN,
    summary="What a page needs to know before sign-in",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The server's configuration for pages",
            shape=ConfigData,
            example=ConfigData("0.1.0", True, True, "600", True, [PhoneBookEntry("600", "Echo")], 12),
        )
    },
    public=True,
)

ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    SIGN_IN,
    SIGN_OUT_EVERYWHERE,
    CHANGE_PASSWORD,
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
