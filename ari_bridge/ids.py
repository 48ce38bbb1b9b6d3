"""Identifiers: one call id, from which every resource's name follows.

A call id sorts by time. The channels, the bridge and the media session of a
call carry names made from it, chosen by us *before* they are created, so that
a restarted process can tell from a name alone whose resource it sees.
Knows nothing of ARI or rtpengine.
"""

import re
import secrets
import time
from enum import Enum

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
_TIME_CHARS = 9  # 45 bits of milliseconds: enough until the year 3084
_RANDOM_CHARS = 10  # 50 bits: two calls of one millisecond never meet

CALL_ID_PATTERN = re.compile(r"[A-Za-z0-9_.]{4,64}")
"""What a client may choose as a call id: no '-', which separates the kind."""


_LATER = re.compile(r"(em|far)([2-9]|[1-9][0-9]{1,5})")


class Kind(Enum):
    """What a name made from a call id names. The value is the suffix."""

    EXTERNAL_MEDIA = "em"
    FAR = "far"
    BRIDGE = "br"


def new_call_id(now: float | None = None) -> str:
    """A new call id, 19 characters, sorting by creation time (`now`: Unix seconds)."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    chars = [_ALPHABET[(milliseconds >> 5 * i) & 31] for i in reversed(range(_TIME_CHARS))]
    chars += (secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))
    return "".join(chars)


def resource_id(call_id: str, kind: Kind) -> str:
    """The name of a call's resource: `<call>-em`, `<call>-far`, `<call>-br`."""
    return f"{call_id}-{kind.value}"


def leg_id(call_id: str, number: int) -> str:
    """The name of a call's media leg, from 1 on: `<call>-em`, `<call>-em2`, `<call>-em3`, ..."""
    return resource_id(call_id, Kind.EXTERNAL_MEDIA) + (str(number) if number > 1 else "")


def parse_resource_id(name: str) -> tuple[str, Kind] | None:
    """The call id and kind that a name was made from; None where it is not one of ours."""
    call_id, dash, suffix = name.rpartition("-")
    if not dash or not CALL_ID_PATTERN.fullmatch(call_id):
        return None
    if later := _LATER.fullmatch(suffix):
        return call_id, Kind(later[1])
    try:
        return call_id, Kind(suffix)
    except ValueError:
        return None


def party_id(call_id: str, number: int) -> str:
    """The name of a further party's channel, from 2 on: `<call>-far2`, `<call>-far3`, ..."""
    return resource_id(call_id, Kind.FAR) + str(number)


def leg_number(name: str) -> int:
    """Which leg of its call the media leg `name` is, from 1 on; 0 where it is no media leg of ours."""
    return _number(name, Kind.EXTERNAL_MEDIA)


def party_number(name: str) -> int:
    """Which party of its call the channel `name` was made for, 1 for the far side; 0 where it is none of ours."""
    return _number(name, Kind.FAR)


def _number(name: str, kind: Kind) -> int:
    parsed = parse_resource_id(name)
    return int(name.rpartition(f"-{kind.value}")[2] or 1) if parsed and parsed[1] is kind else 0
