"""What all WebSocket connections of a front end share."""

from dataclasses import dataclass
from typing import Protocol

from ari_bridge.engine.call_manager import CallManager
from frontend.auth.authenticator import Authenticator
from frontend.auth.session_tokens import SessionTokens
from frontend.presence.preferences import UserServices
from frontend.presence.registrar import WebSocketRegistrar
from frontend.webrtc.ice_servers import IceServers
from frontend.webrtc.trickle_ice import Trickles
from frontend.websocket.media_checks import FarPackets


class PageMedia(Trickles, FarPackets, Protocol):
    """What pages ask of the rtpengines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionServices:
    """What all connections use."""

    calls: CallManager
    pages: WebSocketRegistrar
    user_services: UserServices
    access: Authenticator
    sessions: SessionTokens
    media: PageMedia
    ice: IceServers
    version: str
