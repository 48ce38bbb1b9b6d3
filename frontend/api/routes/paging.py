"""How lists are paged, all in the same way: `limit` and `cursor` in the request, `nextCursor` in the response."""

from typing import Annotated

from msgspec import Meta

from ari_bridge.cursor import Cursor
from frontend.http.parameters import text_format

PageCursor = Annotated[
    Annotated[Cursor, text_format(Cursor.parse, {"type": "string"})] | None,
    Meta(description="`nextCursor` of the previous page"),
]
NextCursor = Annotated[str | None, Meta(description="`cursor` of the next page; null on the last one")]
