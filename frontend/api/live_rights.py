"""What a user or an API key has open follows what they may do: pages, streams and calls end, or have other rights."""

import time
from dataclasses import replace

from ari_bridge.accounts import Accounts, ApiKey, User
from ari_bridge.accounts.api_key import guest_key
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.engine.dial_gate import DialGate
from frontend.api.routes.event_stream import EventLog
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import grants_of
from frontend.auth.principal import Principal
from frontend.websocket.hub import ConnectionHub


def follow_accounts(
    accounts: Accounts,
    access: Authenticator,
    events: EventLog,
    connections: ConnectionHub,
    calls: CallManager,
    gate: DialGate,
) -> None:
    """Whoever changes a user or a key, what they have open follows."""
    accounts.on_change(lambda user: apply_change(user, access, events, connections, calls, gate))
    accounts.api_keys.on_change(lambda key: apply_key_change(key, access, events, connections, calls))


def apply_change(
    user: User, access: Authenticator, events: EventLog, connections: ConnectionHub, calls: CallManager, gate: DialGate
) -> None:
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
    if not user.active:
        _end_calls(user, calls, gate)


def apply_key_change(
    key: ApiKey, access: Authenticator, events: EventLog, connections: ConnectionHub, calls: CallManager
) -> None:
    """The API key was changed, or its time has come: what it has open ends, if it ends, and its guests' calls."""

    def ended(principal: Principal) -> bool:
        return principal.key_id == key.id and not access.holds(principal)

    events.end_if(ended)
    connections.end_if(ended)
    if key.valid(time.time()):
        return
    for call in calls.live():
        if call.user and key.id in (call.user, guest_key(call.user)):
            calls.hangup(call.id)


def _end_calls(user: User, calls: CallManager, gate: DialGate) -> None:
    """Those that the user has left or transferred, too. A page that is cut off could go on talking otherwise.

    Emergency calls go on.
    """
    for call in calls.live():
        is_own = call.user == user.name and call.created_at >= user.name_since
        if is_own and not gate.is_emergency(call.target):
            calls.hangup(call.id)
