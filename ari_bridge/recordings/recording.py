"""What is known of one recording, and how its files are called. Pure."""

import re

import msgspec

from ari_bridge.cursor import Cursor
from ari_bridge.ids import STEM_PATTERN

_NAME = re.compile(rf"({STEM_PATTERN})-rec[1-9][0-9]{{0,5}}(\.[1-9][0-9]{{0,5}})?")
SOUND, ABOUT = ".wav", ".json"
"""What the names of a recording's two files end in: the sound, and what is known of it."""


class Recording(msgspec.Struct, frozen=True):
    """Times are Unix seconds. Kept as JSON beside the sound, so that a store explains itself."""

    name: str  # STEM-recN, or STEM-recN.M if an earlier call's recording already has that name
    call_id: str
    user: str | None  # whose call it was; None: no user's, as with plain HTTP
    caller: str
    target: str
    started_at: float
    seconds: float  # of sound: pauses are left out
    size: int  # bytes of the sound file
    sha256: str  # of the sound file, in hexadecimal

    @property
    def cursor(self) -> Cursor:
        """Its position in the order of time; no two have the same."""
        return Cursor(self.started_at, self.name)


def stem_of_name(name: str) -> str | None:
    """The stem (`ids.stem_of`) of the call whose recording `name` is; None if it is not one of ours."""
    match = _NAME.fullmatch(name)
    return match.group(1) if match else None


def another_name(name: str, number: int) -> str:
    """The `number`-th other name (from 1 on) for a recording whose own is taken."""
    return f"{name}.{number}"


def encode(recording: Recording) -> bytes:
    return msgspec.json.format(msgspec.json.encode(recording), indent=2) + b"\n"


def decode(data: bytes) -> Recording:
    """Raises msgspec.DecodeError, ValidationError (a subclass). Fields of a later version are left out."""
    return msgspec.json.decode(data, type=Recording)
