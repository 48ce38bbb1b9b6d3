"""What a user wants done with their calls: the same struct on the WebSocket, over HTTP, in the engine and on disk."""

from typing import Annotated

import msgspec
from msgspec import Meta


class CallPreferences(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be done with calls for a user. A forward is a number, `voicemail`, or "": none.

    What is left out is as at the beginning: nothing forwarded, calls ring.
    """

    do_not_disturb: Annotated[bool, Meta(description="no page rings")] = False
    call_waiting: Annotated[bool, Meta(description="it rings also while this user is in a call")] = True
    forward_always: str = ""
    forward_busy: Annotated[str, Meta(description="in a call, without call waiting")] = ""
    forward_no_answer: str = ""
    forward_unreachable: Annotated[str, Meta(description="no page is open")] = ""
    ring_seconds: Annotated[int, Meta(description="5 to 120; 0: as long as the server is set to")] = 0
