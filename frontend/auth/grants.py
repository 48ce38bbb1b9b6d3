"""What somebody may do: the grants, and which of them each role has. Pure.

What is not here needs no grant: everybody who signs in has their own calls, call records, recordings and preferences.
"""

from collections.abc import Iterable
from enum import StrEnum


class Grant(StrEnum):
    DIAL = "dial"
    """Place calls, add parties, transfer."""
    RECEIVE = "receive"
    """Take calls: the pages ring."""
    RECORD = "record"
    """Record own calls."""
    MONITOR_READ = "monitor:read"
    """`/live`, `/stats`, the dashboard."""
    EVENTS_READ = "events:read"
    """`/events` of all calls; without it there are those of own calls."""
    EVENTS_RAW = "events:raw"
    """Asterisk's own events in `/events`."""
    CALLS_READ = "calls:read"
    """Calls of others."""
    CALLS_CONTROL = "calls:control"
    """End calls of others, hold them, drop their parties; not take part in them."""
    CALLS_STOP = "calls:stop"
    """Stop all outgoing calls, and allow them again."""
    RECORDS_READ = "records:read"
    """Call records of others."""
    RECORDINGS_READ = "recordings:read"
    """Hear recordings of others."""
    RECORDINGS_DELETE = "recordings:delete"
    """Delete recordings of others."""
    USERS_MANAGE = "users:manage"
    """Add, change, lock and remove users; see dial permissions and limits of all."""
    KEYS_MANAGE = "keys:manage"
    """Make, see, rotate and revoke API keys, with no more scopes than one's own."""
    TOKENS_CREATE = "tokens:create"
    """Of an API key: make client tokens for users by name."""

    AUDIT_READ = "audit:read"
    """Read and export the audit log."""


PHONE = frozenset({Grant.DIAL, Grant.RECEIVE, Grant.RECORD})
"""What everybody may who makes calls."""
_OTHERS = frozenset({Grant.CALLS_READ, Grant.RECORDS_READ, Grant.RECORDINGS_READ})

OF_ROLE = {
    "user": PHONE,
    "agent": PHONE,
    "supervisor": PHONE | _OTHERS | {Grant.MONITOR_READ, Grant.EVENTS_READ},
    "operator": PHONE
    | {Grant.MONITOR_READ, Grant.EVENTS_READ, Grant.EVENTS_RAW}
    | {Grant.CALLS_READ, Grant.CALLS_CONTROL, Grant.CALLS_STOP},
    "auditor": _OTHERS | {Grant.AUDIT_READ},
    "admin": frozenset(Grant),
}


def grants_of(roles: Iterable[str]) -> frozenset[Grant]:
    """All that the roles give together; a role that is not known gives nothing."""
    return frozenset().union(*(OF_ROLE.get(role, frozenset()) for role in roles))
