"""Call-handling preferences: the same struct on the WebSocket, over HTTP, in the engine and on disk."""

from typing import Annotated

import msgspec
from msgspec import Meta


class CallPreferences(msgspec.Struct, frozen=True, rename="camel"):
    """A user's call-handling preferences. A forward is a number, `voicemail`, or "" for none.

    Omitted fields are reset to their defaults.
    """

    do_not_disturb: Annotated[bool, Meta(description="no page rings")] = False
    call_waiting: Annotated[bool, Meta(description="also ring while this user is in a call")] = True
    forward_always: str = ""
    forward_busy: Annotated[str, Meta(description="while in a call without call waiting")] = ""
    forward_no_answer: str = ""
    forward_unreachable: Annotated[str, Meta(description="while no page is registered")] = ""
    ring_seconds: Annotated[int, Meta(description="5 to 120; 0: the server's setting")] = 0
