"""Presence: offline, available, ringing, in a call, do-not-disturb. Pure.

A user's presence follows from their clients, calls and preferences; a PBX phone's from its device state.
"""

from collections.abc import Iterable
from enum import Enum

from ari_bridge.fsm.call import Call, CallState, Direction


class PresenceState(Enum):
    """The values are part of the protocol."""

    OFFLINE = "offline"
    AVAILABLE = "available"
    RINGING = "ringing"
    IN_CALL = "in_call"
    DO_NOT_DISTURB = "do_not_disturb"


def of_users(
    users: Iterable[str], *, online: frozenset[str], undisturbed: frozenset[str], calls: Iterable[Call]
) -> dict[str, PresenceState]:
    """The presence of each.

    `online`: those with a page or a SIP phone. `undisturbed`: those who are not to be disturbed. `calls`: all that are
    live.
    """
    talking: set[str] = set()
    ringing: set[str] = set()
    for call in calls:
        if call.user and not call.left_outcome:
            talking.add(call.user)
        elif call.direction is Direction.INBOUND and call.state is CallState.RINGING:
            ringing |= call.users
    return {user: _of_user(user, online, undisturbed, talking, ringing) for user in users}


def _of_user(
    user: str, online: frozenset[str], undisturbed: frozenset[str], talking: set[str], ringing: set[str]
) -> PresenceState:
    if user in talking:
        return PresenceState.IN_CALL
    if user in ringing:
        return PresenceState.RINGING
    if user not in online:
        return PresenceState.OFFLINE
    return PresenceState.DO_NOT_DISTURB if user in undisturbed else PresenceState.AVAILABLE


_BY_DEVICE_STATE = {
    "NOT_INUSE": PresenceState.AVAILABLE,
    "INUSE": PresenceState.IN_CALL,
    "BUSY": PresenceState.IN_CALL,
    "ONHOLD": PresenceState.IN_CALL,
    "RINGINUSE": PresenceState.IN_CALL,
    "RINGING": PresenceState.RINGING,
}


def of_device(state: str) -> PresenceState:
    """Of Asterisk's words for a device's state; what is UNAVAILABLE, INVALID or UNKNOWN cannot be reached."""
    return _BY_DEVICE_STATE.get(state, PresenceState.OFFLINE)


def of_endpoint(state: str, channels: int) -> PresenceState:
    """Of what ARI lists, until a device state says more. `channels`: how many it has."""
    if channels:
        return PresenceState.IN_CALL
    return PresenceState.AVAILABLE if state == "online" else PresenceState.OFFLINE
