"""Pagination cursors: where a page of a list that is sorted by time ended."""

import base64
import math
from typing import NamedTuple

import msgspec

from ari_bridge.errors import InvalidRequest

MAX_ID_CHARACTERS = 128
_MAX_CHARACTERS = 400


class Cursor(NamedTuple):
    """The last item of a page; the next page begins after it. Cursors compare as items are sorted."""

    time: float
    """The item's, in Unix seconds."""
    id: str
    """Tells items of the same time apart."""

    def __str__(self) -> str:
        """Opaque to clients, and safe in a URL."""
        return base64.urlsafe_b64encode(msgspec.json.encode(tuple(self))).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The inverse of `str`. Raises InvalidRequest."""
        try:
            if len(text) > _MAX_CHARACTERS:
                raise ValueError
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            time, id = msgspec.json.decode(packed, type=tuple[float, str])
            if not math.isfinite(time) or "\0" in id or len(id) > MAX_ID_CHARACTERS:
                raise ValueError
        except (ValueError, msgspec.MsgspecError):  # also binascii.Error, UnicodeEncodeError
            raise InvalidRequest(
                "cursor must be the nextCursor of the previous page; omit it to start at the beginning.", field="cursor"
            ) from None
        return cls(time, id)


NEWEST = Cursor(math.inf, "")
"""Before the first page, of a list with the newest item first."""
