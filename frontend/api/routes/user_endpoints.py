"""The HTTP API of users, for those who manage them: structs and endpoints. The handlers are in `user_handlers.py`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ari_bridge.accounts.names import MAX_DISPLAY_NAME_CHARACTERS
from frontend.api.routes.paging import NextCursor, PageCursor
from frontend.auth.grants import Grant
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec
from frontend.http.preconditions import IfMatch

USERS = "Users"
MAX_PAGE = 200

Role = Literal["user", "agent", "supervisor", "operator", "auditor", "admin"]
UserName = Annotated[
    str, Meta(description="1 to 64 letters, digits, dots, dashes, underscores", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
]
DisplayName = Annotated[
    str, Meta(description="who the user is, for people; one line", max_length=MAX_DISPLAY_NAME_CHARACTERS)
]
ClassName = Annotated[str, Meta(description="a class of service; empty: that of the roles", max_length=64)]
Roles = Annotated[list[Role], Meta(description="what the user may do", min_length=1, max_length=6)]


class UserData(msgspec.Struct, frozen=True, rename="camel"):
    """A user, as those see it who manage users."""

    id: Annotated[str, Meta(description="never changes, and no other user ever has it")]
    name: str
    display_name: str
    roles: list[Role]
    class_of_service: Annotated[str, Meta(description="the user's own; empty: that of the roles")]
    effective_class: Annotated[str, Meta(description="the class of service that counts now")]
    locked: bool
    must_change_password: Annotated[bool, Meta(description="at the next sign-in")]
    second_factor: Annotated[bool, Meta(description="whether an authenticator app or a security key is set up")]
    sip_password: Annotated[bool, Meta(description="whether the user has a SIP password for phones")]
    created_at: Annotated[float, Meta(description="Unix seconds; 0: unknown")]
    revision: Annotated[int, Meta(description="higher after each change; the ETag")]
    connections: Annotated[int, Meta(description="open pages and programs of the user")]
    calls: Annotated[int, Meta(description="calls in progress")]


class UserList(msgspec.Struct, frozen=True, rename="camel"):
    users: Annotated[list[UserData], Meta(description="sorted by name")]
    total: Annotated[int, Meta(description="how many there are on all pages")]
    next_cursor: NextCursor


class UserFilter(msgspec.Struct, frozen=True):
    search: Annotated[str | None, Meta(description="part of the name or the display name", max_length=80)] = None
    role: Role | None = None
    locked: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50
    cursor: PageCursor = None


class UserPath(msgspec.Struct, frozen=True, rename="camel"):
    user_id: str


class UserChange(msgspec.Struct, frozen=True, rename="camel"):
    """Which user, and as which it was seen."""

    user_id: str
    if_match: IfMatch = msgspec.field(name="If-Match")


class NewUser(msgspec.Struct, frozen=True, rename="camel"):
    name: UserName
    roles: Roles
    display_name: DisplayName = ""
    class_of_service: ClassName = ""


class UserSettings(msgspec.Struct, frozen=True, rename="camel"):
    """All of them: what is left out is not kept."""

    roles: Roles
    display_name: DisplayName = ""
    class_of_service: ClassName = ""


class NewName(msgspec.Struct, frozen=True):
    name: UserName


class Lock(msgspec.Struct, frozen=True):
    locked: bool


class NewPasswordData(msgspec.Struct, frozen=True, rename="camel"):
    """A user with a new password, which is shown this once."""

    user: UserData
    password: Annotated[str, Meta(description="to be changed at the first sign-in; it cannot be shown again")]


class SipPasswordData(msgspec.Struct, frozen=True, rename="camel"):
    """A SIP password, which is shown this once."""

    user: Annotated[str, Meta(description="the SIP user, and the user name for authentication")]
    realm: str
    password: Annotated[str, Meta(description="it cannot be shown again")]


class UserWithSipPassword(msgspec.Struct, frozen=True, rename="camel"):
    user: UserData
    sip: SipPasswordData


class UserConnection(msgspec.Struct, frozen=True, rename="camel"):
    """An open page or program of a user."""

    address: Annotated[str, Meta(description="IP address of the client")]
    connected_at: Annotated[float, Meta(description="Unix seconds")]
    takes_calls: Annotated[bool, Meta(description="whether calls ring there")]
    calls: Annotated[list[str], Meta(description="ids of the calls that it has")]


class UserConnections(msgspec.Struct, frozen=True, rename="camel"):
    connections: Annotated[list[UserConnection], Meta(description="the newest first")]
    event_streams: Annotated[int, Meta(description="open streams of `GET /events`")]


class LimitUsageData(msgspec.Struct, frozen=True, rename="camel"):
    """A limit of a user, and how much of it is used."""

    what: Annotated[
        Literal["legs", "forwards", "legs_per_minute", "legs_per_day", "minutes_per_day"],
        Meta(description="`legs` and `forwards`: at once"),
    ]
    number_class: Annotated[str | None, Meta(description="of `minutes_per_day`: of which numbers")]
    used: float
    limit: float
    rule: Annotated[str, Meta(description="the setting, or the line of the dial permissions, that sets the limit")]


class UserLimits(msgspec.Struct, frozen=True):
    limits: list[LimitUsageData]


EXAMPLE_USER = UserData(
    id="usr_5f0c1e7d2a9b4c38",
    name="1005",
    display_name="Purchasing",
    roles=["user"],
    class_of_service="national",
    effective_class="national",
    locked=False,
    must_change_password=True,
    second_factor=False,
    sip_password=False,
    created_at=examples.AT,
    revision=17,
    connections=0,
    calls=0,
)
_WITH_PASSWORD = NewPasswordData(EXAMPLE_USER, "k7mf-2xqp-9hta-wd4c")
EXAMPLE_SIP_PASSWORD = SipPasswordData("1005", "ari-bridge", "k7mf2xqp9htawd4cprw8jzm3")
_ETAG = {"ETag": "for `If-Match`: the user's revision"}
_ID = {"userId": EXAMPLE_USER.id}
_CHANGE = {**_ID, "If-Match": '"17"'}
_NOW: dict[int, ResponseSpec] = {
    200: ResponseSpec(description="The user as it is now", shape=UserData, headers=_ETAG, example=EXAMPLE_USER)
}
_ABOUT_ONE = ("sign_in_off", "unknown_user", "unavailable")
_CHANGING = (*_ABOUT_ONE, "changed_meanwhile")

LIST = Endpoint(
    name="listUsers",
    method="GET",
    path="/users",
    tag=USERS,
    summary="List the users",
    description="Needs the right `users:manage`, as do all requests of this section.",
    parameters=UserFilter,
    body=Nothing,
    responses={
        200: ResponseSpec(description="A page", shape=UserList, example=UserList([EXAMPLE_USER], 1, None)),
    },
    problems=("sign_in_off",),
    grant=Grant.USERS_MANAGE,
    example={"search": "purchasing"},
)
ADD = Endpoint(
    name="addUser",
    method="POST",
    path="/users",
    tag=USERS,
    summary="Add a user",
    description=(
        "The server makes the first password. The user has to change it at the first sign-in. `forbidden`, here and in "
        "changes: the user may do more than you, or would. Only locking and signing out are allowed all the same."
    ),
    parameters=Nothing,
    body=NewUser,
    responses={
        201: ResponseSpec(
            description="The user, and the password", shape=NewPasswordData, headers=_ETAG, example=_WITH_PASSWORD
        )
    },
    problems=("sign_in_off", "user_exists", "unavailable"),
    grant=Grant.USERS_MANAGE,
    example_body=NewUser("1005", ["user"], "Purchasing", "national"),
)
SHOW = Endpoint(
    name="showUser",
    method="GET",
    path="/users/{userId}",
    tag=USERS,
    summary="Show a user",
    parameters=UserPath,
    body=Nothing,
    responses=_NOW,
    problems=_ABOUT_ONE,
    grant=Grant.USERS_MANAGE,
    example=_ID,
)
CHANGE = Endpoint(
    name="changeUser",
    method="PUT",
    path="/users/{userId}",
    tag=USERS,
    summary="Change a user's roles, class of service and display name",
    description="In force at once, also for what the user has open.",
    parameters=UserChange,
    body=UserSettings,
    responses=_NOW,
    problems=(*_CHANGING, "last_admin", "own_account"),
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
    example_body=UserSettings(["user", "supervisor"], "Purchasing", "national"),
)
RENAME = Endpoint(
    name="renameUser",
    method="PUT",
    path="/users/{userId}/name",
    tag=USERS,
    summary="Give a user another name",
    description=(
        "The user is signed out everywhere and signs in with the new name. A SIP password ends: make another one. What "
        "was stored under the old name (calls, recordings, preferences, voicemail) does not move along."
    ),
    parameters=UserChange,
    body=NewName,
    responses=_NOW,
    problems=(*_CHANGING, "user_exists"),
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
    example_body=NewName("1006"),
)
LOCK = Endpoint(
    name="lockUser",
    method="PUT",
    path="/users/{userId}/lock",
    tag=USERS,
    summary="Lock a user, or unlock one",
    description=(
        "A lock ends the user's calls, signs the user out everywhere within a second, and refuses new sign-ins."
    ),
    parameters=UserChange,
    body=Lock,
    responses=_NOW,
    problems=(*_CHANGING, "last_admin", "own_account"),
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
    example_body=Lock(True),
)
RESET_PASSWORD = Endpoint(
    name="resetPassword",
    method="POST",
    path="/users/{userId}/password",
    tag=USERS,
    summary="Give a user a new password",
    description="The server makes it. The user is signed out everywhere, and has to change it at the next sign-in.",
    parameters=UserChange,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The user, and the password", shape=NewPasswordData, headers=_ETAG, example=_WITH_PASSWORD
        )
    },
    problems=(*_CHANGING, "own_account"),
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
)
RESET_SECOND_FACTOR = Endpoint(
    name="resetSecondFactor",
    method="DELETE",
    path="/users/{userId}/second-factor",
    tag=USERS,
    summary="Remove the second factor of a user who has lost it",
    description=(
        "The user is signed out everywhere, and signs in by password alone; if a role requires a second factor, the "
        "user sets up another one then. Without effect on a user who has none, but for the sign-out."
    ),
    parameters=UserChange,
    body=Nothing,
    responses=_NOW,
    problems=(*_CHANGING, "own_account"),
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
)
MAKE_SIP_PASSWORD = Endpoint(
    name="makeSipPassword",
    method="POST",
    path="/users/{userId}/sip-password",
    tag=USERS,
    summary="Make a SIP password for a user's phones",
    description="The server makes it, and shows it this once. The one before is of no use any more.",
    parameters=UserChange,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The user, and the SIP password",
            shape=UserWithSipPassword,
            headers=_ETAG,
            example=UserWithSipPassword(EXAMPLE_USER, EXAMPLE_SIP_PASSWORD),
        )
    },
    problems=(*_CHANGING, "own_account"),
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
)
REMOVE_SIP_PASSWORD = Endpoint(
    name="removeSipPassword",
    method="DELETE",
    path="/users/{userId}/sip-password",
    tag=USERS,
    summary="Take a user's SIP password away",
    description="Phones that use it can neither register nor call any more. Without effect on a user who has none.",
    parameters=UserChange,
    body=Nothing,
    responses=_NOW,
    problems=_CHANGING,
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
)
CONNECTIONS = Endpoint(
    name="listUserConnections",
    method="GET",
    path="/users/{userId}/connections",
    tag=USERS,
    summary="List what a user has open",
    parameters=UserPath,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="Open WebSockets and event streams",
            shape=UserConnections,
            example=UserConnections([UserConnection("192.0.2.7", examples.AT, True, [examples.CALL_ID])], 0),
        )
    },
    problems=_ABOUT_ONE,
    grant=Grant.USERS_MANAGE,
    example=_ID,
)
LIMITS = Endpoint(
    name="showUserLimits",
    method="GET",
    path="/users/{userId}/limits",
    tag=USERS,
    summary="Show a user's limits, and how much of them is used",
    parameters=UserPath,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The limits",
            shape=UserLimits,
            example=UserLimits([LimitUsageData("legs", None, 1, 12, "MAX_LEGS_PER_USER")]),
        )
    },
    problems=_ABOUT_ONE,
    grant=Grant.USERS_MANAGE,
    example=_ID,
)
SIGN_OUT = Endpoint(
    name="signOutUser",
    method="DELETE",
    path="/users/{userId}/sessions",
    tag=USERS,
    summary="Sign a user out everywhere",
    description="Tokens end at once, connections within a second. The user may sign in again.",
    parameters=UserChange,
    body=Nothing,
    responses=_NOW,
    problems=_CHANGING,
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
)
REMOVE = Endpoint(
    name="removeUser",
    method="DELETE",
    path="/users/{userId}",
    tag=USERS,
    summary="Remove a user",
    description=(
        "For good: calls end, the user is signed out everywhere, and forwards and preferences are deleted. Call "
        "records and recordings stay, for those who may see all."
    ),
    parameters=UserChange,
    body=Nothing,
    responses={204: ResponseSpec(description="There is no such user any more")},
    problems=(*_CHANGING, "last_admin", "own_account"),
    grant=Grant.USERS_MANAGE,
    example=_CHANGE,
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    LIST,
    ADD,
    SHOW,
    CHANGE,
    RENAME,
    LOCK,
    RESET_PASSWORD,
    RESET_SECOND_FACTOR,
    MAKE_SIP_PASSWORD,
    REMOVE_SIP_PASSWORD,
    CONNECTIONS,
    LIMITS,
    SIGN_OUT,
    REMOVE,
)
