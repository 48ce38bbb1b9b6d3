"""What a user wants to be done with calls for them. Pure."""

from collections.abc import Callable

from msgspec.structs import asdict

from ari_bridge.errors import InvalidRequest, InvalidTarget
from ari_bridge.number import normalize_number
from ari_bridge_protocol.preferences import CallPreferences

VOICEMAIL = "voicemail"
"""In place of a number: the caller may leave a message."""
RING_LIMITS_S = (5, 120)
FORWARDS = ("forward_always", "forward_busy", "forward_no_answer", "forward_unreachable")
MAX_HOPS = 5
"""How often one call may be forwarded; the dialplan counts (docs/PEOPLE.md)."""


def check(user: str, wanted: CallPreferences, of: Callable[[str], CallPreferences]) -> CallPreferences:
    """The preferences as they are kept: numbers without the separators that people write.

    `of`: what other users have set. Raises InvalidRequest, whose `field` names the one that is wrong.
    """
    low, high = RING_LIMITS_S
    if wanted.ring_seconds and not low <= wanted.ring_seconds <= high:
        raise InvalidRequest(f"It may ring {low} to {high} seconds, or 0: as the server is set.", field="ringSeconds")
    numbers = {name: _number(user, name, getattr(wanted, name)) for name in FORWARDS}
    if chain := _forwarding_loop(user, numbers["forward_always"], of):
        raise InvalidRequest(f"The calls would go in a circle: {' → '.join(chain)}.", field="forwardAlways")
    return CallPreferences(**asdict(wanted) | numbers)


def _number(user: str, name: str, written: str) -> str:
    if written in ("", VOICEMAIL):
        return written
    field = _camel(name)
    try:
        number = normalize_number(written)
    except InvalidTarget as error:
        raise InvalidRequest(str(error), field=field) from None
    if number == user:
        raise InvalidRequest("Calls cannot be forwarded to the one who is called.", field=field)
    return number


def _forwarding_loop(user: str, target: str, of: Callable[[str], CallPreferences]) -> list[str]:
    """The users of a loop of unconditional forwards; empty if there is no loop.

    Circles of other kinds depend on who is busy or away at the moment: the dialplan stops those.
    """
    chain = [user]
    while target and target != VOICEMAIL:
        if target in chain:
            return [*chain, target] if target == user else []
        if len(chain) > MAX_HOPS:
            return []
        chain.append(target)
        target = of(target).forward_always
    return []


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
