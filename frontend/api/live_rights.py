"""What a user has open follows what the user may do: pages, event streams and calls end, or have other rights."""

from dataclasses import replace

from ari_bridge.accounts import User
from ari_bridge.engine.call_manager import CallManager
from frontend.api.routes.event_stream import EventLog
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import grants_of
from frontend.auth.principal import Principal
from frontend.websocket.hub import ConnectionHub


def end_sessions(access: Authenticator, events: EventLog, connections: ConnectionHub) -> None:
    """Sign-in sessions have ended: so does what is open of them."""

    def ended(principal: Principal) -> bool:
        return not access.holds(principal)

    events.end_if(ended)
    connections.end_if(ended)


def apply_change(
    user: User, access: Authenticator, events: EventLog, connections: ConnectionHub, calls: CallManager
) -> None:
    """The user was changed: what is open ends, if the change ends it; else it has the user's new rights."""
    grants = grants_of(user.roles)

    def ended(principal: Principal) -> bool:
        return principal.user_id == user.id and not access.holds(principal)

    def with_rights(principal: Principal) -> Principal:
        return replace(principal, roles=user.roles, grants=grants) if principal.user_id == user.id else principal

    # A stream is ended also if its reader may see less or more now: it is opened again, with what may be seen.
    events.end_if(lambda one: ended(one) or (one.user_id == user.id and one.grants != grants))
    connections.end_if(ended)
    connections.use_principal(with_rights)
    if not user.active:
        _end_calls(user, calls)


def _end_calls(user: User, calls: CallManager) -> None:
    """Those that the user has left or transferred, too. A page that is cut off could go on talking otherwise."""
    for call in calls.live():
        if call.user == user.name and call.created_at >= user.name_since:
            calls.hangup(call.id)
