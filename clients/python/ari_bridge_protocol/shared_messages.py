"""Messages that both sides send."""

from typing import Literal

from ari_bridge_protocol.message import Message
from ari_bridge_protocol.preferences import CallPreferences


class Dtmf(Message, tag="dtmf", frozen=True):
    """Send digits (0-9 * # A-D, at most 32) to the far side. From the server: a digit that it sent."""

    call_id: str
    digits: str


class Hold(Message, tag="hold", frozen=True):
    """Put the other parties on hold: they hear music, and nothing of this page; or (`held` false) take them back.

    From the server: a party holds the call, or takes it up again (`by` is "far"), or our side does ("us").
    """

    call_id: str
    held: bool = True
    by: Literal["us", "far"] = "us"


class Preferences(CallPreferences, tag="preferences", frozen=True):
    """What is to be done with calls for this user: set by the client, as a whole; told by the server to all its pages.

    What the client leaves out is as at the beginning: nothing forwarded, calls ring. The server leaves out nothing.
    A forward is a number, `voicemail`, or "".
    """
