"""The client in Python: calls by WebSocket (`Client`), everything else by HTTP (`HttpClient`). Guide: docs/PYTHON.md.

It knows the protocol and nothing else of the server. Sound needs aiortc and numpy, which
`pip install 'ari-bridge-client[audio]'` brings. Without them everything but sound works, and `Tone`, `File`, `Silence`
and the like raise MediaMissing.
"""

from typing import TYPE_CHECKING, Any

from ari_bridge_client.api_models import CallData, Cdr, EventData, Placed, RecordingData
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
from ari_bridge_client.incoming import IncomingCall
from ari_bridge_client.media import Media, MediaStats, OfferOnlyMedia
from ari_bridge_client.models import CallInfo, Health
from ari_bridge_client.preflight import PreflightResult, run_preflight
from ari_bridge_client.retry import RetryPolicy
from ari_bridge_protocol.direction import Direction
from ari_bridge_protocol.messages import CallPreferences
from ari_bridge_protocol.outcomes import Detail, Outcome

if TYPE_CHECKING:
    from ari_bridge_client.audio import File, ReceivedAudio, Silence, SoundAnalysis, Source, Tone, ToneNotHeard

__all__ = [
    "AuthenticationLost",
    "Call",
    "CallData",
    "CallInfo",
    "CallPreferences",
    "Cdr",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "ConnectionLost",
    "Detail",
    "Direction",
    "DownloadFailed",
    "EventData",
    "File",
    "Health",
    "HttpClient",
    "IncomingCall",
    "Media",
    "MediaMissing",
    "MediaStats",
    "MediaUnavailable",
    "OfferOnlyMedia",
    "Outcome",
    "Placed",
    "PreflightResult",
    "Problem",
    "ReceivedAudio",
    "RecordingData",
    "Refused",
    "RetryPolicy",
    "Silence",
    "SoundAnalysis",
    "Source",
    "Tone",
    "ToneNotHeard",
    "WaitTimeout",
    "run_preflight",
]
_AUDIO = frozenset({"File", "ReceivedAudio", "Silence", "SoundAnalysis", "Source", "Tone", "ToneNotHeard"})

if not TYPE_CHECKING:  # a type checker would take every name as defined

    def __getattr__(name: str) -> Any:
        """Audio is loaded when it is first used: it is an extra."""
        if name not in _AUDIO:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ari_bridge_client import audio

        return getattr(audio, name)
