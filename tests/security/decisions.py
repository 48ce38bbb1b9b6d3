"""Who may do what, operation by operation and message by message: the decision that was taken for each.

`test_role_matrix` tries every line for every role on a running server; `tests/unit/frontend/test_decisions.py` fails
for an operation or a message without a line. Whoever adds one decides here who may use it.
"""

from dataclasses import dataclass
from enum import Enum

from frontend.auth.grants import Grant


class Object(Enum):
    """What an operation is about. That of another user does not exist for whoever may not see it."""

    CALL = "call"
    RECORD = "record"
    RECORDING = "recording"
    LISTED_CALL = "listed call"
    LISTED_RECORD = "listed record"
    LISTED_RECORDING = "listed recording"


@dataclass(frozen=True)
class Decision:
    """Who may use an operation.

    Args:
        public: Anybody, without signing in.
        grant: Needed for the operation at all; None: everybody who has signed in.
        about: Whose it may be.
        others: The grant with which it may be another user's; None: nobody may.
        machines: API keys only, whatever roles a user has.
        proof: It takes something else that proves the right, a password or a token of its own kind: if that is wrong,
            the answer is 401 in spite of a good access token.
        why: What the line cannot say.
    """

    public: bool = False
    grant: Grant | None = None
    about: Object | None = None
    others: Grant | None = None
    machines: bool = False
    proof: bool = False
    why: str = ""


PUBLIC = Decision(public=True)
OWN = Decision()
"""Of the asker alone: there is no way to name somebody else's."""


def with_grant(grant: Grant) -> Decision:
    return Decision(grant=grant)


def on(about: Object, others: Grant | None, grant: Grant | None = None) -> Decision:
    return Decision(about=about, others=others, grant=grant)


_WITH_CHALLENGE = Decision(public=True, proof=True, why="with the challenge of a right password")
_WITH_PASSWORD = Decision(proof=True, why="one's own, with one's password besides")
_COMMAND = on(Object.CALL, Grant.CALLS_CONTROL)
_DIALS = on(Object.CALL, None, Grant.DIAL)
_USERS = with_grant(Grant.USERS_MANAGE)
_KEYS = with_grant(Grant.KEYS_MANAGE)

OPERATIONS: dict[str, Decision] = {
    "signIn": Decision(public=True, proof=True),
    "refreshSession": Decision(public=True, proof=True, why="with a refresh token: tests/security/test_tokens.py"),
    "signOut": OWN,
    "signOutEverywhere": OWN,
    "changePassword": _WITH_PASSWORD,
    "choosePassword": _WITH_CHALLENGE,
    "giveSecondFactor": _WITH_CHALLENGE,
    "beginEnrolment": _WITH_CHALLENGE,
    "completeEnrolment": _WITH_CHALLENGE,
    "showSecondFactor": OWN,
    "beginSecondFactor": _WITH_PASSWORD,
    "completeSecondFactor": OWN,
    "renewRecoveryCodes": OWN,
    "removeSecondFactor": OWN,
    "beginSecurityKey": _WITH_CHALLENGE,
    "giveSecurityKey": _WITH_CHALLENGE,
    "beginKeyEnrolment": _WITH_CHALLENGE,
    "completeKeyEnrolment": _WITH_CHALLENGE,
    "beginProof": OWN,
    "beginAddSecurityKey": _WITH_PASSWORD,
    "addSecurityKey": OWN,
    "removeSecurityKey": OWN,
    "makeOwnSipPassword": _WITH_PASSWORD,
    "removeOwnSipPassword": OWN,
    "showSipCredentials": Decision(public=True, proof=True, why="with SIP_EDGE_TOKEN: tests/security/test_sip_edge.py"),
    "listSipRegistrations": Decision(why="one's own, or all with monitor:read: tests/security/test_sip_edge.py"),
    "showMe": OWN,
    "beginSingleSignOn": PUBLIC,
    "finishSingleSignOn": Decision(public=True, why="with the cookie of a sign-in that this browser has begun"),
    "fetchSingleSignOn": Decision(public=True, why="with the cookie of a sign-in that has succeeded"),
    "listAudit": with_grant(Grant.AUDIT_READ),
    "exportAuditCsv": with_grant(Grant.AUDIT_READ),
    "exportAuditLines": with_grant(Grant.AUDIT_READ),
    "signOutAtProvider": OWN,
    "backChannelLogout": Decision(public=True, why="with a logout token: tests/security/test_single_sign_on.py"),
    "showConfig": PUBLIC,
    "showHealth": PUBLIC,
    "showMetrics": Decision(public=True, why="for programs on the server's machine, or with METRICS_TOKEN"),
    "showAsyncApi": PUBLIC,
    "showOpenApi": PUBLIC,
    "showReference": PUBLIC,
    "placeCall": with_grant(Grant.DIAL),
    "hangUp": _COMMAND,
    "holdCall": _COMMAND,
    "transferCall": _DIALS,
    "addParty": _DIALS,
    "dropParty": _COMMAND,
    "leaveCall": _COMMAND,
    "recordCall": on(Object.CALL, None, Grant.RECORD),
    "sendDigits": on(Object.CALL, None),
    "giveFeedback": on(Object.CALL, None),
    "showCall": on(Object.CALL, Grant.CALLS_READ),
    "listCalls": on(Object.LISTED_CALL, Grant.CALLS_READ),
    "endCalls": with_grant(Grant.CALLS_CONTROL),
    "showOutgoing": with_grant(Grant.CALLS_CONTROL),
    "switchOutgoing": with_grant(Grant.CALLS_STOP),
    "listPeople": OWN,
    "showPreferences": OWN,
    "setPreferences": OWN,
    "listRecordings": on(Object.LISTED_RECORDING, Grant.RECORDINGS_READ),
    "showRecording": on(Object.RECORDING, Grant.RECORDINGS_READ),
    "playRecording": on(Object.RECORDING, Grant.RECORDINGS_READ),
    "deleteRecording": on(Object.RECORDING, Grant.RECORDINGS_DELETE),
    "listRecords": on(Object.LISTED_RECORD, Grant.RECORDS_READ),
    "exportRecords": on(Object.LISTED_RECORD, Grant.RECORDS_READ),
    "showRecord": on(Object.RECORD, Grant.RECORDS_READ),
    "listUsers": _USERS,
    "addUser": _USERS,
    "showUser": _USERS,
    "changeUser": _USERS,
    "renameUser": _USERS,
    "lockUser": _USERS,
    "resetPassword": _USERS,
    "resetSecondFactor": _USERS,
    "makeSipPassword": _USERS,
    "removeSipPassword": _USERS,
    "listUserConnections": _USERS,
    "showUserLimits": _USERS,
    "signOutUser": _USERS,
    "removeUser": _USERS,
    "listKeys": _KEYS,
    "createKey": _KEYS,
    "showKey": _KEYS,
    "rotateKey": _KEYS,
    "revokeKey": _KEYS,
    "createToken": Decision(grant=Grant.TOKENS_CREATE, machines=True, why="tests/security/test_client_tokens.py"),
    "showDialPermissions": _USERS,
    "checkDialPermission": _USERS,
    "showLive": with_grant(Grant.MONITOR_READ),
    "showStats": with_grant(Grant.MONITOR_READ),
    "followEvents": Decision(why="each event by itself: `permissions.event_view`, and tests/security/test_access.py"),
}
"""By the operation's name (operationId)."""

_OWN_CALL = on(Object.CALL, None)
_OWN_CALL_DIALS = on(Object.CALL, None, Grant.DIAL)

MESSAGES: dict[str, Decision] = {
    "register": Decision(grant=Grant.RECEIVE, why="with a token of its own"),
    "resume": Decision(public=True, why="with a token of the session's user: tests/security/test_access.py"),
    "authenticate": Decision(public=True, why="with a token of the same user: tests/security/test_token_expiry.py"),
    "unregister": PUBLIC,
    "offer": with_grant(Grant.DIAL),
    "candidate": _OWN_CALL,
    "prepare-media": Decision(why="of the user that has registered: a leg is for a call placed or taken"),
    "discard-media": PUBLIC,
    "hangup": _OWN_CALL,
    "decline": _OWN_CALL,
    "hold": _OWN_CALL,
    "dtmf": _OWN_CALL,
    "transfer": _OWN_CALL_DIALS,
    "add-party": _OWN_CALL_DIALS,
    "drop-party": _OWN_CALL,
    "leave": _OWN_CALL,
    "record": on(Object.CALL, None, Grant.RECORD),
    "quality": _OWN_CALL,
    "feedback": _OWN_CALL,
    "check-media": _OWN_CALL,
    "preferences": Decision(why="of the user that has registered"),
    "ping": PUBLIC,
}
"""By the message's type. A page commands the calls of its user; who commands those of others does so by HTTP."""
