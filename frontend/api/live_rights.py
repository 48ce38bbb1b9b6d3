"""What a user or an API key has open follows what they may do: it ends, or has other rights.

Calls of users who are locked or removed end in `frontend/calls/locked_users.py`.
"""

import time
from dataclasses import replace

from ari_bridge.accounts import Accounts, ApiKey, User
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.guest_names import counted_name
from frontend.api.routes.event_stream import EventStreams
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import grants_of
from frontend.auth.principal import Principal
from frontend.websocket.hub import ConnectionHub


def end_sessions(access: Authenticator, events: EventStreams, connections: ConnectionHub) -> None:
    """Sign-in sessions have ended: so does what is open of them."""

    def ended(principal: Principal) -> bool:
        return not access.holds(principal)

    events.end_if(ended)
    connections.end_if(ended)


def follow_accounts(
    accounts: Accounts,
    access: Authenticator,
    events: EventStreams,
    connections: ConnectionHub,
    calls: CallManager,
) -> None:
    """Whoever changes a user or a key, what they have open follows."""
    accounts.on_change(lambda user: apply_change(user, access, events, connections))
    accounts.on_sessions_end(lambda: end_sessions(access, events, connections))
    accounts.api_keys.on_change(lambda key: apply_key_change(key, access, events, connections, calls))


def apply_change(user: User, access: Authenticator, events: EventStreams, connections: ConnectionHub) -> None:
    """The user was changed: what is open ends, if the change ends it; else it has the user's new rights."""
    grants = grants_of(user.roles)

    def ended(principal: Principal) -> bool:
        return (user.id == principal.user_id or user.name == principal.name) and not access.holds(principal)

    def concerned(principal: Principal) -> bool:
        """A client token has grants of its own, which no role changes."""
        return principal.user_id == user.id and principal.kind == "user"

    def with_rights(principal: Principal) -> Principal:
        return replace(principal, roles=user.roles, grants=grants) if concerned(principal) else principal

    # A stream is ended also if its reader may see less or more now: it is opened again, with what may be seen.
    events.end_if(lambda one: ended(one) or (concerned(one) and one.grants != grants))
    connections.end_if(ended)
    connections.use_principal(with_rights)


def apply_key_change(
    key: ApiKey, access: Authenticator, events: EventStreams, connections: ConnectionHub, calls: CallManager
) -> None:
    """The API key was changed, or its time has come: what it has open ends, if it ends, and its guests' calls.

    But for emergency calls, as everywhere.
    """

    def ended(principal: Principal) -> bool:
        return principal.key_id == key.id and not access.holds(principal)

    events.end_if(ended)
    connections.end_if(ended)
    if key.valid(time.time()):
        return
    for call in calls.live():
        if call.user and counted_name(call.user) == key.id and not calls.emergency.has_leg(call):
            calls.hangup(call.id)
