"""Whether a user's pages ring for a caller, and where the caller goes if not. Pure."""

from dataclasses import dataclass

from ari_bridge.fsm.decisions import forward_status
from ari_bridge_protocol.preferences import CallPreferences


@dataclass(frozen=True)
class RingDecision:
    """Whether a user's clients ring for a caller; if not, `status` is passed to the dialplan (ARI_BRIDGE_STATUS).

    `forward`, `ring_seconds`, `phone`: see `Call`.
    """

    users: frozenset[str] = frozenset()
    status: str = "UNAVAILABLE"
    forward: str = ""
    ring_seconds: float = 0.0
    phone: str = ""


def decide_ringing(user: str, wanted: CallPreferences, *, has_page: bool, in_call: bool) -> RingDecision:
    """`has_page`: a page of the user is open, or a SIP phone registered. `in_call`: the user has a call now."""
    if wanted.forward_always:
        return _not_rung(wanted.forward_always, "")
    if wanted.do_not_disturb:
        return RingDecision(status="DND")
    if not has_page:
        return _not_rung(wanted.forward_unreachable, "UNAVAILABLE")
    if in_call and not wanted.call_waiting:
        return _not_rung(wanted.forward_busy, "BUSY")
    return RingDecision(frozenset({user}), forward=wanted.forward_no_answer, ring_seconds=wanted.ring_seconds)


def _not_rung(forward: str, otherwise: str) -> RingDecision:
    return RingDecision(status=forward_status(forward, otherwise), forward=forward)
