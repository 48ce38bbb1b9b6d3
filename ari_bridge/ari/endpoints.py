"""Asterisk's endpoints (the PBX's own phones) and their device states.

Their changes come by device states, as for the lamps of desk phones. To subscribe to `endpoint:` would bring every
event of every channel of that phone as well; a busy PBX has many.

Each method raises PeerRefused, PeerTimeout or PeerUnreachable. Source: ARI `endpoints`, `applications.subscribe`.
"""

from collections.abc import Sequence

import msgspec

from ari_bridge.ari.events import AriEvent, UnknownEvent
from ari_bridge.ari.rest import RestClient, exists, read

MAX_NAMES_PER_REQUEST = 40
"""They are sent in a URL, whose length Asterisk limits."""


class Endpoint(msgspec.Struct, frozen=True):
    """ARI `Endpoint`. `state`: online, offline, unknown. `channel_ids`: what it is in at the moment."""

    technology: str
    resource: str
    state: str = ""
    channel_ids: list[str] = []

    @property
    def device(self) -> str:
        """The name of its device state."""
        return f"{self.technology}/{self.resource}"


class DeviceState(msgspec.Struct, frozen=True):
    """ARI `DeviceState`. `state`: NOT_INUSE, INUSE, BUSY, RINGING, RINGINUSE, ONHOLD, UNAVAILABLE, INVALID, UNKNOWN."""

    name: str
    state: str


class Endpoints:
    def __init__(self, requests: RestClient, app: str) -> None:
        self._requests = requests
        self._app = app

    async def list(self) -> list[Endpoint]:
        """All endpoints of all channel drivers, with their states."""
        return read(await self._requests.send("endpoints", "list"), list[Endpoint])

    async def subscribe(self, devices: Sequence[str]) -> None:
        """Receive changes of these device states until Asterisk is restarted. Subscribing twice is fine."""
        for first in range(0, len(devices), MAX_NAMES_PER_REQUEST):
            sources = ",".join(f"deviceState:{name}" for name in devices[first : first + MAX_NAMES_PER_REQUEST])
            request = self._requests.send("applications", "subscribe", applicationName=self._app, eventSource=sources)
            await exists(request, gone=(422,))


def device_changed(event: AriEvent) -> DeviceState | None:
    """What a DeviceStateChanged event says; None for any other event."""
    if not isinstance(event, UnknownEvent) or event.type != "DeviceStateChanged":
        return None
    try:
        return msgspec.convert(event.raw.get("device_state"), DeviceState)
    except msgspec.ValidationError:
        return None
