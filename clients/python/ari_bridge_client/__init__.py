"""The client in Python: calls by WebSocket (`Client`), everything else by HTTP (`HttpClient`). Guide: docs/PYTHON.md.

It knows the protocol and nothing else of the server. Sound needs aiortc and numpy, which
`pip install 'ari-bridge-client[audio]'` brings. Without them everything but sound works, and `Tone`, `File`, `Silence`
and the like raise MediaMissing.
"""

from typing import TYPE_CHECKING, Any

from ari_bridge_client.call import Call
from ari_bridge_client.client import Client
from ari_bridge_client.errors import (
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
from ari_bridge_client.http_client import HttpClient
from ari_bridge_client.http_transport import Patience
from ari_bridge_client.incoming import Incoming
from ari_bridge_client.media import GivenOffer, Media, MediaStats
from ari_bridge_client.models import CallInfo, CallRecord, Invited, PreferenceInfo, RecordingInfo, ServerEvent

if TYPE_CHECKING:
    from ari_bridge_client.audio import File, ReceivedAudio, Silence, Source, Tone, ToneNotHeard

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
_SOUNDS = frozenset({"File", "ReceivedAudio", "Silence", "Source", "Tone", "ToneNotHeard"})


def __getattr__(name: str) -> Any:
    """Sounds are loaded when they are first asked for: they are an extra, and no weight for who needs none."""
    if name not in _SOUNDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ari_bridge_client import audio

    return getattr(audio, name)
