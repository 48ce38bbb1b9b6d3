"""ARI events, typed. Those that no call needs are `UnknownEvent`.

Source: https://docs.asterisk.org/Latest_API/API_Documentation/Asterisk_REST_Interface/Asterisk_REST_Data_Models/
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ari_bridge.ari.models import Channel, LiveRecording


class MalformedEvent(Exception):
    """A message is not an ARI event; the text says why."""


class Event(msgspec.Struct, tag_field="type", kw_only=True):
    """Base of every event. `timestamp`: ISO 8601 with milliseconds. `raw`: the whole event as it came."""

    timestamp: str = ""
    application: str = ""
    raw: dict[str, Any] = {}

    @property
    def type(self) -> str:
        return type(self).__name__


class StasisStart(Event, tag=True, kw_only=True):
    """A channel entered our application; `args` are those of the dialplan's Stasis(APP,args...).

    `replace_channel`: whose place in its bridge it takes, after a transfer by that one (SIP REFER, feature code).
    """

    channel: Channel
    args: list[str] = []
    replace_channel: Channel | None = None


class StasisEnd(Event, tag=True, kw_only=True):
    channel: Channel


class ChannelStateChange(Event, tag=True, kw_only=True):
    channel: Channel


class ChannelDestroyed(Event, tag=True, kw_only=True):
    """`cause`: Q.850, `cause_txt`: Asterisk's words for it.

    `tech_cause`: what the channel's own protocol calls it, a SIP status for PJSIP; 0 before Asterisk 22.
    """

    channel: Channel
    cause: int = 0
    cause_txt: str = ""
    tech_cause: int = 0


class ChannelHangupRequest(Event, tag=True, kw_only=True):
    channel: Channel
    cause: int = 0


class Dial(Event, tag=True, kw_only=True):
    """`peer` is the channel that is dialled. `dialstatus`: "" at the beginning, then RINGING, ANSWER, BUSY, ...

    `forward`: the number that the dialled one names in its place (SIP 3xx).
    """

    peer: Channel
    caller: Channel | None = None
    dialstatus: str = ""
    forward: str = ""


class ChannelDtmfReceived(Event, tag=True, kw_only=True):
    channel: Channel
    digit: str


class ChannelConnectedLine(Event, tag=True, kw_only=True):
    """Who is at the other end of `channel` is somebody else now, or has got a name: `channel.connected`."""

    channel: Channel


class ChannelCallerId(Event, tag=True, kw_only=True):
    """Who is at this end of `channel` is somebody else now, or has got a name: `channel.caller`.

    Sent if the SIP phone at the channel reports it (P-Asserted-Identity, Remote-Party-ID), not for a `Local` channel
    in an existing call.
    """

    channel: Channel


class ChannelHold(Event, tag=True, kw_only=True):
    channel: Channel


class ChannelUnhold(Event, tag=True, kw_only=True):
    channel: Channel


class RecordingFinished(Event, tag=True, kw_only=True):
    """The file is complete: the recording was stopped, or its bridge destroyed."""

    recording: LiveRecording


class RecordingFailed(Event, tag=True, kw_only=True):
    """`recording.cause` says why. What was recorded until then may be there."""

    recording: LiveRecording


class ApplicationReplaced(Event, tag=True, kw_only=True):
    """Another WebSocket took our application over: its events go there now."""


class UnknownEvent:
    """An event of a type that calls do not need, or one whose fields are not as ARI documents them."""

    __slots__ = ("raw", "timestamp", "type")

    def __init__(self, type: str, raw: dict[str, Any]) -> None:
        self.type = type
        self.raw = raw
        timestamp = raw.get("timestamp", "")
        self.timestamp = timestamp if isinstance(timestamp, str) else ""


KnownEvent = (
    StasisStart
    | StasisEnd
    | ChannelStateChange
    | ChannelDestroyed
    | ChannelHangupRequest
    | Dial
    | ChannelDtmfReceived
    | ChannelConnectedLine
    | ChannelCallerId
    | ChannelHold
    | ChannelUnhold
    | RecordingFinished
    | RecordingFailed
    | ApplicationReplaced
)
AriEvent = KnownEvent | UnknownEvent

_TYPES = {cls.__name__ for cls in KnownEvent.__args__}
# Made once: resolving `KnownEvent` takes ten times as long as decoding an event.
_read = msgspec.json.Decoder().decode
_read_known: Callable[[bytes | str], KnownEvent] = msgspec.json.Decoder(KnownEvent).decode


def decode(data: bytes | str) -> AriEvent:
    """The event in a text frame. Raises MalformedEvent if it is not a JSON object with a `type`."""
    try:
        raw = _read(data)
    except msgspec.DecodeError as error:
        raise MalformedEvent(f"not JSON: {error}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise MalformedEvent("not an object with a type")
    if raw["type"] not in _TYPES:
        return UnknownEvent(raw["type"], raw)
    try:
        event = _read_known(data)
    except msgspec.ValidationError:
        return UnknownEvent(raw["type"], raw)
    event.raw = raw
    return event
