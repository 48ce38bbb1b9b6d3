"""The responses of the HTTP API.

Generated from the endpoints of frontend/ by `python -m frontend.codegen`. Do not edit.
"""

from typing import Any

import msgspec

from ari_bridge_protocol.direction import Direction
from ari_bridge_protocol.messages import PersonSummary
from ari_bridge_protocol.outcomes import Detail, Outcome


class SessionData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        token: For `Authorization: Bearer TOKEN`
        expires_at: Unix seconds
        refresh_token: For `POST /session/refresh`, once; null: a cookie has it, or there is none
        recovery_codes: Shown once, when an app is set up
    """

    token: str
    user: str
    expires_at: float
    refresh_token: str | None = None
    recovery_codes: list[str] | None = None


class PhoneBookEntry(msgspec.Struct, frozen=True, rename="camel"):
    number: str
    name: str


class ConfigData(msgspec.Struct, frozen=True, rename="camel"):
    """What a page needs to know before sign-in.

    Attributes:
        authentication: Calls require a token
        recording: Calls can be recorded
        preflight_number: An echo number for testing the connection; "" if there is none
        feedback: Calls can be rated
        min_password_length: Characters that a new password needs
        single_sign_on: The name of a provider, if `/auth/oidc/login` signs in there; ""
    """

    version: str
    authentication: bool
    recording: bool
    preflight_number: str
    feedback: bool
    phone_book: list[PhoneBookEntry]
    min_password_length: int
    single_sign_on: str = ""


class Placed(msgspec.Struct, frozen=True, rename="camel"):
    """A call that was started. The far side has not answered yet.

    Attributes:
        sdp: The SDP answer, for `setRemoteDescription`
        state: A call's state as clients see it; `ended` is the last and comes once; one of: trying, ringing, early,
            accepted, ended
    """

    call_id: str
    sdp: str
    state: str


class PartyData(msgspec.Struct, frozen=True, rename="camel"):
    """A participant besides the user and the far side. Times are Unix seconds; null: it has not happened.

    Attributes:
        party: Its number in the call, from 2 on: the far side is 1
        number: As dialled, or the caller's
        state: One of: trying, ringing, accepted, ended
        outcome: With `ended`
    """

    party: int
    number: str
    name: str
    state: str
    outcome: Outcome | None
    answered_at: float | None
    ended_at: float | None


class CallRecording(msgspec.Struct, frozen=True, rename="camel"):
    """A recording of the call.

    Attributes:
        name: Its name in `/recordings` once the call has ended
        state: One of: on, paused, over
    """

    name: str
    state: str


class CauseData(msgspec.Struct, frozen=True, rename="camel"):
    """Why a call ended, for support.

    Attributes:
        q850: ITU-T Q.850 cause; 0 if unknown
        sip: The closest SIP status; 0 if there is none
        text: In words
        detail: The reason in more detail than `outcome`
        forward: The number that the far side redirects to
    """

    q850: int
    sip: int
    text: str
    detail: Detail | None = None
    forward: str = ""


class CallData(msgspec.Struct, frozen=True, rename="camel"):
    """A call as it is now. Times are Unix seconds; null: it has not happened.

    Attributes:
        state: `accepting`: incoming, accepted, media is being set up. `ending`: being released; one of: trying,
            ringing, early, accepting, accepted, ending, ended
        target: The number that was dialled or called
        caller: The caller id shown to the far side; incoming: the caller's number
        connected_number: The connected line, as Asterisk reports it; "": unchanged since the call was placed
        user: Whose call it is (a guest's: `guest-<id of the key>`); null: no user's, or not accepted yet
        users: Incoming: those whose pages ring
        held: By our side
        parties: Added to the call, or joined from another, including those that have left
        transferring: The number that the call is being transferred to
        left: Set when our side has left and the others continue: the outcome for its user
        outcome: Set when the call is decided to end
        cause: Once the call has ended
        ownerless: It was found active without a record of whose it is: only an operator can end it
        near: By what the user takes part: `page`: a media leg, as browsers have it; `sip`: a SIP client; one of: page,
            sip
        metadata: Of the client token that it was placed or accepted with
    """

    call_id: str
    direction: Direction
    state: str
    target: str
    caller: str
    caller_name: str
    connected_number: str
    connected_name: str
    user: str | None
    users: list[str]
    held: bool
    held_by_far: bool
    parties: list[PartyData]
    transferring: str | None
    left: Outcome | None
    left_at: float | None
    recordings: list[CallRecording]
    outcome: Outcome | None
    cause: CauseData | None
    created_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float | None
    ownerless: bool = False
    near: str = "page"
    metadata: dict[str, str] = {}


class EnrolmentData(msgspec.Struct, frozen=True, rename="camel"):
    """An authenticator app that is to be set up: scan the QR code, or type the secret.

    Attributes:
        challenge: For the request that completes it
        secret: Base32; codes of 6 digits, SHA-1, each for 30 s
        uri: The same for an app, `otpauth://`
        qr_code: Of the `uri`: a row each, 1 is dark; without its margin of 4
    """

    challenge: str
    secret: str
    uri: str
    qr_code: list[str]


class ProviderLogout(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        url: None if the sign-in was not there, or the provider has no such page
    """

    url: str | None


class SecurityKeyData(msgspec.Struct, frozen=True, rename="camel"):
    """Times are Unix seconds."""

    id: str
    name: str
    created_at: float
    last_used_at: float


class SecondFactorData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        enabled: An app or a security key is set up
        required: A role of yours needs it: without one you set it up at the next sign-in
        app: An authenticator app is set up
        created_at: Of the app, Unix seconds; null without one
        last_used_at: The same
        recovery_codes: How many are left
        security_keys_available: They can be set up on this server
    """

    enabled: bool
    required: bool
    app: bool = False
    created_at: float | None = None
    last_used_at: float | None = None
    recovery_codes: int = 0
    security_keys: list[SecurityKeyData] = []
    security_keys_available: bool = False


class AssertionResponse(msgspec.Struct, frozen=True, rename="camel"):
    """`AuthenticatorAssertionResponse`

    Attributes:
        client_data_json: Base64url
        authenticator_data: Base64url
        signature: Base64url
    """

    client_data_json: str = msgspec.field(name="clientDataJSON")
    authenticator_data: str
    signature: str


class Assertion(msgspec.Struct, frozen=True, rename="camel"):
    """What `navigator.credentials.get()` gives (`AuthenticationResponseJSON`).

    Attributes:
        id: Base64url
    """

    id: str
    response: AssertionResponse


class KeyProofBody(msgspec.Struct, frozen=True, rename="camel"):
    """What a security key has signed, in place of a code.

    Attributes:
        challenge: Of `POST /me/second-factor/proof`
    """

    challenge: str
    credential: Assertion


class RecoveryCodes(msgspec.Struct, frozen=True, rename="camel"):
    """They are shown once. None if there are some already, from another second factor."""

    recovery_codes: list[str]


class KeyRequestData(msgspec.Struct, frozen=True, rename="camel"):
    """What is asked of a security key, within two minutes; each is good for one answer.

    Attributes:
        challenge: For the request that has the answer
        options: `PublicKeyCredentialRequestOptionsJSON` or `PublicKeyCredentialCreationOptionsJSON`, for
            `navigator.credentials`
    """

    challenge: str
    options: dict[str, Any]


class AttestationResponse(msgspec.Struct, frozen=True, rename="camel"):
    """`AuthenticatorAttestationResponse`

    Attributes:
        client_data_json: Base64url
        attestation_object: Base64url
    """

    client_data_json: str = msgspec.field(name="clientDataJSON")
    attestation_object: str
    transports: list[str] = []


class Registration(msgspec.Struct, frozen=True, rename="camel"):
    """What `navigator.credentials.create()` gives (`RegistrationResponseJSON`).

    Attributes:
        id: Base64url
    """

    id: str
    response: AttestationResponse


class SipPasswordData(msgspec.Struct, frozen=True, rename="camel"):
    """A SIP password, which is shown this once.

    Attributes:
        user: The SIP user, and the user name for authentication
        password: It cannot be shown again
    """

    user: str
    realm: str
    password: str


class MeData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        user: Your name; null if sign-in is off
        user_id: Never changes; empty if sign-in is off
        grants: What you may do; docs/USERS.md lists them
        sip_password: Whether you have a SIP password for phones
    """

    user: str | None
    user_id: str
    roles: list[str]
    grants: list[str]
    sip_password: bool


class CallPage(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        calls: Newest first; a page may be short, or empty, without being the last
        next_cursor: `cursor` of the next page; null on the last one
    """

    calls: list[CallData]
    next_cursor: str | None


class EndedCalls(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        calls: Ids of the calls that are being ended
        forwards: How many forwarded calls are being ended
    """

    calls: list[str]
    forwards: int = 0


class OutgoingData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        by: Who has stopped them; empty if that is not known, or they are allowed
        at: Since when they are stopped, Unix seconds
        ended: The calls that are being ended for it
    """

    allowed: bool
    by: str = ""
    at: float | None = None
    reason: str = ""
    ended: EndedCalls | None = None


class KeyData(msgspec.Struct, frozen=True, rename="camel"):
    """A key, without its secret.

    Attributes:
        max_calls: 0: as the server's limits
        created_by: A user's name or a key's id; empty: the command line
        last_used_at: To the minute; null: never
        previous_secret_until: Until when the secret before the last rotation is valid; null: it is not
    """

    id: str
    label: str
    scopes: list[str]
    addresses: list[str]
    origins: list[str]
    users: list[str]
    max_calls: int
    class_of_service: str
    created_at: float
    created_by: str
    expires_at: float | None
    last_used_at: float | None
    previous_secret_until: float | None
    revoked_at: float | None


class KeyList(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        keys: The newest first, revoked ones too
    """

    keys: list[KeyData]


class KeyWithSecret(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        max_calls: 0: as the server's limits
        created_by: A user's name or a key's id; empty: the command line
        last_used_at: To the minute; null: never
        previous_secret_until: Until when the secret before the last rotation is valid; null: it is not
        secret: Shown now and never again
        token: Both in one, for `Authorization: Bearer`
    """

    id: str
    label: str
    scopes: list[str]
    addresses: list[str]
    origins: list[str]
    users: list[str]
    max_calls: int
    class_of_service: str
    created_at: float
    created_by: str
    expires_at: float | None
    last_used_at: float | None
    previous_secret_until: float | None
    revoked_at: float | None
    secret: str
    token: str


class ClientTokenData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        token: For the client
        grants: One of: dial, receive, record, monitor
        expires_at: Unix seconds
    """

    token: str
    user: str
    grants: list[str]
    expires_at: float


class Directory(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        people: Sorted by number
    """

    people: list[PersonSummary]


class RecordingData(msgspec.Struct, frozen=True, rename="camel"):
    """A recording. Times are Unix seconds.

    Attributes:
        user: The user of the call; null if it had none
        seconds: Of audio, without pauses
        size: Bytes of the audio file
        sha256: Of the audio file, in hexadecimal
    """

    name: str
    call_id: str
    user: str | None
    caller: str
    target: str
    started_at: float
    seconds: float
    size: int
    sha256: str


class RecordingPage(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first.

    Attributes:
        next_cursor: `cursor` of the next page; null on the last one
    """

    recordings: list[RecordingData]
    next_cursor: str | None


class Cdr(msgspec.Struct, frozen=True, rename="camel"):
    """One ended call. Times are Unix seconds; None means that it did not happen.

    Its names in JSON are in camelCase, its columns in the table as here.

    Attributes:
        target: The number as dialled, or the called number
        user: The user of the call, who may see it; "" if it has none
        tenant: "": the only tenant
        ended_at: When it was decided to end
        talk_seconds: From the answer until our user left or the call ended; 0 if it was not answered
        q850: ITU-T Q.850 cause; 0 if Asterisk reported none
        sip: The closest SIP status; 0 if there is none
        cause: The cause in words, for support
        codecs: "": unknown
        parties: Parties besides the far side: party, number, name, outcome, answeredAt, endedAt
        transferred_to: The number that took our user's place
        recording: Names of recordings
        quality: {}: unknown
        feedback: {}: not rated
        connected_number: The last connected line, as Asterisk reported it; "": as dialled, or the caller
        metadata: Of the client token that it was placed or accepted with; {}: of none
    """

    call_id: str
    direction: Direction
    caller: str
    caller_name: str
    target: str
    user: str
    tenant: str
    created_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float
    talk_seconds: float
    outcome: Outcome
    q850: int
    sip: int
    cause: str
    codecs: str = ""
    parties: tuple[dict[str, Any], ...] = ()
    transferred_to: str = ""
    recording: tuple[str, ...] = ()
    quality: dict[str, Any] = {}
    feedback: dict[str, Any] = {}
    connected_number: str = ""
    connected_name: str = ""
    metadata: dict[str, str] = {}


class CdrPage(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first.

    Attributes:
        next_cursor: `cursor` of the next page; null on the last one
    """

    cdrs: tuple[Cdr, ...]
    next_cursor: str | None


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        id: Of the entry
        at: When, in Unix seconds
        actor_kind: One of: user, key, token, system, cli
        actor_id: Id of the user or key, of a client token that of its key; empty if unknown
        actor: Name of the user, key or account of the operating system
        tenant: Of the actor
        address: IP address of the client; empty if there is none
        action: What was done: one of those in [AUDIT.md](AUDIT.md#actions)
        object: What it was done to: a user, call, number, recording, …
        result: One of: ok, refused, failed
        request_id: `X-Request-Id` of the request, also in the server's log
        details: Depends on the action; docs/AUDIT.md
        number: Increases by one
        previous_hash: `hash` of the entry before it; empty in the first one
        hash: SHA-256 of the other fields as canonical JSON, in hexadecimal
    """

    id: str
    at: float
    actor_kind: str
    actor_id: str
    actor: str
    tenant: str
    address: str
    action: str
    object: str
    result: str
    request_id: str
    details: dict[str, Any]
    number: int
    previous_hash: str
    hash: str


class AuditPage(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first.

    Attributes:
        next_cursor: `cursor` of the next page; null on the last one
    """

    entries: tuple[Entry, ...]
    next_cursor: str | None


class UserData(msgspec.Struct, frozen=True, rename="camel"):
    """A user, as those see it who manage users.

    Attributes:
        id: Never changes, and no other user ever has it
        roles: One of: user, agent, supervisor, operator, auditor, admin
        class_of_service: The user's own; empty: that of the roles
        effective_class: The class of service that counts now
        must_change_password: At the next sign-in
        second_factor: Whether an authenticator app or a security key is set up
        sip_password: Whether the user has a SIP password for phones
        created_at: Unix seconds; 0: unknown
        revision: Higher after each change; the ETag
        connections: Open pages and programs of the user
        calls: Calls in progress
    """

    id: str
    name: str
    display_name: str
    roles: list[str]
    class_of_service: str
    effective_class: str
    locked: bool
    must_change_password: bool
    second_factor: bool
    sip_password: bool
    created_at: float
    revision: int
    connections: int
    calls: int


class UserList(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        users: Sorted by name
        total: How many there are on all pages
        next_cursor: `cursor` of the next page; null on the last one
    """

    users: list[UserData]
    total: int
    next_cursor: str | None


class NewPasswordData(msgspec.Struct, frozen=True, rename="camel"):
    """A user with a new password, which is shown this once.

    Attributes:
        password: To be changed at the first sign-in; it cannot be shown again
    """

    user: UserData
    password: str


class UserWithSipPassword(msgspec.Struct, frozen=True, rename="camel"):
    user: UserData
    sip: SipPasswordData


class UserConnection(msgspec.Struct, frozen=True, rename="camel"):
    """An open page or program of a user.

    Attributes:
        address: IP address of the client
        connected_at: Unix seconds
        takes_calls: Whether calls ring there
        calls: Ids of the calls that it has
    """

    address: str
    connected_at: float
    takes_calls: bool
    calls: list[str]


class UserConnections(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        connections: The newest first
        event_streams: Open streams of `GET /events`
    """

    connections: list[UserConnection]
    event_streams: int


class LimitUsageData(msgspec.Struct, frozen=True, rename="camel"):
    """A limit of a user, and how much of it is used.

    Attributes:
        what: `legs` and `forwards`: at once; one of: legs, forwards, legs_per_minute, legs_per_day, minutes_per_day
        number_class: Of `minutes_per_day`: of which numbers
        rule: The setting, or the line of the dial permissions, that sets the limit
    """

    what: str
    number_class: str | None
    used: float
    limit: float
    rule: str


class UserLimits(msgspec.Struct, frozen=True, rename="camel"):
    limits: list[LimitUsageData]


class ClassOfServiceData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        built_in: Not from the file
        rules: The first that fits decides; those of included classes in place
    """

    name: str
    built_in: bool
    rules: list[str]


class DialPermissionsData(msgspec.Struct, frozen=True, rename="camel"):
    """docs/DIAL_PERMISSIONS.md explains them.

    Attributes:
        file: Where they are written, on the server; null: built-in classes only
        country: ISO 3166 code of `COUNTRY`; empty: not set
        default: The class of whoever has no other
        internal: Patterns of further internal numbers
        users: User name → class, from the file
        roles: Role → class
        tenants: Tenant → class
    """

    file: str | None
    country: str
    default: str
    internal: list[str]
    classes: list[ClassOfServiceData]
    users: dict[str, str]
    roles: dict[str, str]
    tenants: dict[str, str]


class DialCheckData(msgspec.Struct, frozen=True, rename="camel"):
    """What the dial permissions say of a user and a number. Nothing is dialled.

    Attributes:
        rule: The rule that decides, with its class
        class_of_service: The user's, that counts now
        dialled: The number as the PBX gets it
        e164: In international form; empty if it is none of a public numbering plan
        country: ISO 3166 code; 001: of no country; empty: unknown or internal
        number_class: What kind of number it is
        why: Why it is of that kind
    """

    allowed: bool
    rule: str
    user: str
    class_of_service: str
    dialled: str
    e164: str
    country: str
    number_class: str
    why: str


class SipCredentialData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        ha1: MD5 of `user:realm:password`, hexadecimal
        ha1_sha256: The same by SHA-256 (RFC 8760)
    """

    user: str
    ha1: str
    ha1_sha256: str


class SipRegistrationData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        contact: The SIP URI at which the phone is called
        address: IP address that it has registered from; empty: unknown
        transport: `udp`, `tcp`, `tls`, `ws` or `wss`
        user_agent: What the phone says that it is
        expires_at: Unix seconds
    """

    user: str
    contact: str
    address: str
    transport: str
    user_agent: str
    expires_at: float


class SipRegistrations(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        known: Whether this is so now
        reason: Why it is not known
        read_at: When it was known last, Unix seconds; null: never
        registrations: Sorted by user
    """

    known: bool
    reason: str | None
    read_at: float | None
    registrations: list[SipRegistrationData]


class ChannelData(msgspec.Struct, frozen=True, rename="camel"):
    """A channel of Asterisk.

    Attributes:
        created_at: In Asterisk's format
        call_id: The call that it belongs to; null if none
    """

    id: str
    name: str
    state: str
    caller: str
    connected: str
    created_at: str
    call_id: str | None


class BridgeData(msgspec.Struct, frozen=True, rename="camel"):
    """A bridge of Asterisk.

    Attributes:
        channels: Ids
        call_id: The call that it belongs to; null if none
    """

    id: str
    technology: str
    type: str
    channels: list[str]
    call_id: str | None


class LiveData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        last_event_id: Follow `/events` from this id to miss no change
        reason: Why Asterisk could not be asked; null if it was
    """

    calls: list[CallData]
    channels: list[ChannelData]
    bridges: list[BridgeData]
    last_event_id: int
    reason: str | None


class Started(msgspec.Struct, frozen=True, rename="camel"):
    inbound: int
    outbound: int


class StatsData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        since: Unix seconds: start of the server
        connections: Open WebSockets
    """

    since: float
    active_calls: int
    active_by_state: dict[str, int]
    started: Started
    outcomes: dict[str, int]
    connections: int
    users_online: int


class EventData(msgspec.Struct, frozen=True, rename="camel"):
    """One event, in `data:`.

    Attributes:
        id: The event's number: increases, also over restarts; Unix milliseconds is where numbers begin
        at: Unix seconds
        call_id: The call that it is about; null if none
        data: See docs/HOOKS.md for each `name`
        version: Of the form of events
    """

    id: int
    at: float
    name: str
    call_id: str | None
    data: dict[str, Any]
    version: int = 1


class PartCheck(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        reason: Why it is not ok; with `ok`: what is wrong although calls can be made
    """

    ok: bool
    reason: str | None = None
    version: str | None = None


class NodeCheck(msgspec.Struct, frozen=True, rename="camel"):
    """One rtpengine.

    Attributes:
        ok: Accepts calls
        reason: Why it does not accept calls
        seconds: Duration of its last response
    """

    ok: bool
    address: str
    state: str
    sessions: int
    reason: str | None = None
    seconds: float | None = None


class MediaCheck(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        ok: At least one accepts calls
    """

    ok: bool
    nodes: list[NodeCheck]
    reason: str | None = None


class Checks(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        pbx: Creates channels and media legs, and has the dialplan context in which calls start
        store: The call store
        audit: The audit log
        outgoing: Not ok while an operator has stopped all outgoing calls
    """

    ari: PartCheck
    pbx: PartCheck
    rtpengine: MediaCheck
    store: PartCheck
    recordings: PartCheck
    records: PartCheck
    audit: PartCheck
    outgoing: PartCheck


class HealthData(msgspec.Struct, frozen=True, rename="camel"):
    """
    Attributes:
        status: One of: ok, degraded, draining, unavailable
        version: For those who may see the details
        checks: For those who may see the details
    """

    status: str
    version: str | None = None
    checks: Checks | None = None


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """Problem details (RFC 9457).

    Attributes:
        type: Where the code is explained, relative to this server
        title: The same for every problem with this code
        status: The status of the response
        detail: What went wrong in this case, in one or two sentences for developers
        code: For programs
        field: The invalid value of the request
        rule: The rule that refuses the number (`forbidden`), or the limit (`too_many`)
        challenge: Of a sign-in that is not complete: for the next step only, once, within ten minutes
        methods: Second factors that the user has, or may set up (`second_factor_enrolment_required`); one of: totp,
            security_key, recovery_code
        outcome: How the call ended
        retry_after: Seconds; also, rounded, in the header Retry-After
        request_id: Identifies the request in the server's log
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    rule: str | None = None
    challenge: str | None = None
    methods: list[str] | None = None
    call_id: str | None = None
    outcome: Outcome | None = None
    cause: CauseData | None = None
    retry_after: float | None = None
    request_id: str | None = None
