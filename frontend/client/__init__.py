"""The client in Python: calls by WebSocket (`Client`), everything else by HTTP (`HttpClient`). Guide: docs/PYTHON.md.

Knows the messages and nothing else of the server. Sound needs the extra packages of `pip install 'ari-bridge[phone]'`
(aiortc, numpy); without them everything but sound works, and `Tone`, `File`, `Silence` and the like raise MediaMissing.
"""

from typing import TYPE_CHECKING, Any

from frontend.client.call import Call
from frontend.client.client import Client
from frontend.client.errors import (
    AuthenticationLost,
    ClientError,
    ConnectionFailed,
    ConnectionLost,
    DownloadFailed,
    MediaMissing,
    MediaUnavailable,
    Problem,
    Refused,
    WaitTimeout,
)
from frontend.client.http_client import HttpClient
from frontend.client.http_transport import Patience
from frontend.client.incoming import Incoming
from frontend.client.media import GivenOffer, Media, MediaStats
from frontend.client.models import CallInfo, CallRecord, Invited, PreferenceInfo, RecordingInfo, ServerEvent

if TYPE_CHECKING:
    from frontend.client.audio import File, ReceivedAudio, Silence, Source, Tone, ToneNotHeard

__all__ = [
    "Call",
    "CallInfo",
    "CallRecord",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "ConnectionLost",
    "DownloadFailed",
    "File",
    "GivenOffer",
    "ReceivedAudio",
    "HttpClient",
    "Incoming",
    "Invited",
    "Media",
    "MediaMissing",
    "MediaStats",
    "MediaUnavailable",
    "WaitTimeout",
    "Patience",
    "PreferenceInfo",
    "Problem",
    "RecordingInfo",
    "Refused",
    "ServerEvent",
    "AuthenticationLost",
    "Silence",
    "Source",
    "Tone",
    "ToneNotHeard",
]
_SOUNDS = frozenset({"File", "Heard", "Silence", "Source", "Tone", "ToneNotHeard"})


def __getattr__(name: str) -> Any:
    """Sounds are loaded when they are first asked for: they are an extra, and no weight for who needs none."""
    if name not in _SOUNDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from frontend.client import audio

    return getattr(audio, name)
