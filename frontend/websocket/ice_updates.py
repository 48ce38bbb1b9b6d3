"""The ICE servers that a client is told: when something about it changes, and before their credentials expire."""

import asyncio
import time
from collections.abc import Callable

from ari_bridge_protocol.messages import IceServers as IceServersMessage
from frontend.webrtc.ice_servers import IceServers


class IceUpdates:
    """One connection's.

    Args:
        ice: The servers.
        send: Sends to the client.
    """

    def __init__(self, ice: IceServers, send: Callable[[IceServersMessage], None]) -> None:
        self._ice = ice
        self._send = send
        self._timer: asyncio.TimerHandle | None = None

    def update(self, user: str | None, relay: Callable[[], bool]) -> None:
        """Now, and again before the credentials expire. `relay`: whether the client may use a relay, then."""
        self.stop()
        message = self._ice.message(user, relay=relay(), now=time.time())
        if message:
            self._send(message)
        if message and message.expires_at:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._ice.renewed_after, lambda: self.update(user, relay))

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
