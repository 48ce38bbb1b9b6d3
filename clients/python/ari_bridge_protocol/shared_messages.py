"""Messages that both sides send."""

from typing import Literal

from ari_bridge_protocol.message import Message
from ari_bridge_protocol.preferences import CallPreferences


class Dtmf(Message, tag="dtmf", frozen=True):
    """Send DTMF digits (0-9 * # A-D, at most 32) to the far side. From the server: a digit that the far side sent."""

    call_id: str
    digits: str


class Hold(Message, tag="hold", frozen=True):
    """Put the other parties on hold: they hear music instead of this page; `held` false: resume.

    From the server: the far side (`by` is "far") or our side ("us") has put the call on hold, or resumed it.
    """

    call_id: str
    held: bool = True
    by: Literal["us", "far"] = "us"


class Preferences(CallPreferences, tag="preferences", frozen=True):
    """This user's call-handling preferences: replaced as a whole by the client, sent by the server to all its pages.

    Fields that the client omits are reset to their defaults. The server omits none. A forward is a number,
    `voicemail`, or "" for none.
    """
