"""Identifiers: one call id, from which every resource's name follows.

A call id sorts by time where we choose it; a client may choose any of its own. The channels, the bridge and the
media session of a call carry names made from it, chosen by us *before* they are created, so that a restarted process
can tell from a name alone whose resource it sees. What Asterisk, rtpengine and a file system are to take as a name is
the id's *stem*: the id itself where that is as plain as ours, else a digest of it. A function of the id alone, so the
mapping needs no memory of its own to outlive a process.
Independent of ARI and rtpengine.
"""

import base64
import hashlib
import re
from enum import Enum
from functools import lru_cache

CALL_ID_CHARACTERS = 128
"""The maximum of a call id that a client chooses; the minimum is one."""

STEM_PATTERN = r"(?:[A-Za-z0-9_.]{4,64}|x-[a-z2-7]{32})"
"""What names of resources begin with. A '-' separates the kind; only a digest has one of its own, so none is chosen."""

_PLAIN = re.compile(r"[A-Za-z0-9_.]{4,64}")
_STEM = re.compile(STEM_PATTERN)
_LOST = re.compile(r"ownerless:(x-[a-z2-7]{32})")
_DIGEST_BYTES = 20  # 160 bits: no two ids of one digest can be found

_LATER = re.compile(r"(em|far)([2-9]|[1-9][0-9]{1,5})")


class Kind(Enum):
    """What a name made from a call id names. The value is the suffix."""

    EXTERNAL_MEDIA = "em"
    FAR = "far"
    PHONE = "ph"
    BRIDGE = "br"


def is_call_id(call_id: str) -> bool:
    """Whether a client may choose it: 1 to 128 printable characters, whatever they are: a UUID, an order's number.

    Only what `lost_id` makes is not taken.
    """
    return 1 <= len(call_id) <= CALL_ID_CHARACTERS and call_id.isprintable() and not _LOST.fullmatch(call_id)


@lru_cache(maxsize=4096)
def stem_of(call_id: str) -> str:
    """What the names of a call's resources begin with: the id itself if it is plain, else `x-` and a digest.

    Two ids never have one stem: no plain id has a '-'. Raises UnicodeEncodeError if the id is not valid text (a lone
    surrogate).
    """
    if _PLAIN.fullmatch(call_id):
        return call_id
    if lost := _LOST.fullmatch(call_id):
        return lost[1]
    digest = hashlib.blake2b(call_id.encode(), digest_size=_DIGEST_BYTES).digest()
    return f"x-{base64.b32encode(digest).decode().lower()}"


def lost_id(stem: str) -> str:
    """The id of a call of which only the stem is known: its record is lost."""
    return f"ownerless:{stem}" if is_digest(stem) else stem


def is_digest(stem: str) -> bool:
    """Whether only a record tells which call id the stem was made of; else it is that id."""
    return stem.startswith("x-")


def resource_id(call_id: str, kind: Kind) -> str:
    """The name of a call's resource: `<stem>-em`, `<stem>-far`, `<stem>-ph`, `<stem>-br`."""
    return f"{stem_of(call_id)}-{kind.value}"


def leg_id(call_id: str, number: int) -> str:
    """The name of a call's media leg, from 1 on: `<stem>-em`, `<stem>-em2`, `<stem>-em3`, ..."""
    return resource_id(call_id, Kind.EXTERNAL_MEDIA) + (str(number) if number > 1 else "")


def parse_resource_id(name: str) -> tuple[str, Kind] | None:
    """The stem and kind that a name was made from; None if it is not one of ours."""
    stem, dash, suffix = name.rpartition("-")
    if not dash or not _STEM.fullmatch(stem):
        return None
    if later := _LATER.fullmatch(suffix):
        return stem, Kind(later[1])
    try:
        return stem, Kind(suffix)
    except ValueError:
        return None


def party_id(call_id: str, number: int) -> str:
    """The name of a further party's channel, from 2 on: `<stem>-far2`, `<stem>-far3`, ..."""
    return resource_id(call_id, Kind.FAR) + str(number)


def leg_number(name: str) -> int:
    """Which leg of its call the media leg `name` is, from 1 on; 0 if it is not a media leg of ours."""
    return _number(name, Kind.EXTERNAL_MEDIA)


def party_number(name: str) -> int:
    """Which party of its call the channel `name` was made for, 1 for the far side; 0 if it is not one of ours."""
    return _number(name, Kind.FAR)


def _number(name: str, kind: Kind) -> int:
    parsed = parse_resource_id(name)
    return int(name.rpartition(f"-{kind.value}")[2] or 1) if parsed and parsed[1] is kind else 0
