"""`If-Match` (RFC 9110, 13.1.1): a change is made only to what its author has seen. Knows no route."""

import re
from typing import Annotated, NamedTuple

import msgspec

from frontend.http.parameters import HEADER, text_format

_TAG = re.compile(r'"(0|[1-9][0-9]{0,17})"')


class Precondition(NamedTuple):
    """`revision`: of what is to be changed; None: whatever it is by now."""

    revision: int | None


def parse_if_match(text: str) -> Precondition:
    """Raises ValueError."""
    if text == "*":
        return Precondition(None)
    match = _TAG.fullmatch(text)
    if match is None:
        raise ValueError('the ETag of what you have seen, as "17", or * to change it whatever it is now')
    return Precondition(int(match.group(1)))


def etag_of(revision: int) -> str:
    """The value of the header ETag."""
    return f'"{revision}"'


IfMatch = Annotated[
    Annotated[
        Precondition,
        text_format(parse_if_match, {"type": "string", "pattern": r'^(\*|"(0|[1-9][0-9]{0,17})")$'}),
        msgspec.Meta(description="the `ETag` of what you have seen; `*`: change it whatever it is now"),
    ],
    HEADER,
]
