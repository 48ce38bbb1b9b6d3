"""ARI bridges. Each method raises PeerRefused, PeerTimeout or PeerUnreachable."""

import asyncio

from ari_bridge.ari.channels import Channels
from ari_bridge.ari.models import Bridge
from ari_bridge.ari.rest import RestClient, exists, get_or_none, read
from ari_bridge.errors import PeerRefused

_NO_CHANNEL = "no-such-channel"
"""Asked to leave a bridge, it changes nothing; the status says whether the bridge exists."""


class Bridges:
    def __init__(self, requests: RestClient, channels: Channels) -> None:
        self._requests = requests
        self._channels = channels
        self._app = channels.app
        self._stale: set[str] = set()  # listed, but Asterisk does not have them

    async def create(self, bridge_id: str) -> None:
        """A mixing bridge. Its name is our application's: so we know it for ours after a restart."""
        self._stale.discard(bridge_id)
        await self._requests.send("bridges", "createWithId", bridgeId=bridge_id, type="mixing", name=self._app)

    async def add_channel(self, bridge_id: str, channel_id: str) -> None:
        """Refused (422) before the channel's StasisStart."""
        command = self._requests.send("bridges", "addChannel", bridgeId=bridge_id, channel=channel_id)
        await self._channels.woken(channel_id, command)

    async def start_music(self, bridge_id: str, music_class: str = "") -> None:
        """Music on hold for all in the bridge, until `stop_music`; mixed with what else is heard there.

        `music_class`: of the PBX's musiconhold.conf; "" is its `default`. Silence if there is no such class.
        Refused (404) if the bridge no longer exists.
        """
        given = {"mohClass": music_class} if music_class else {}
        await self._requests.send("bridges", "startMoh", bridgeId=bridge_id, **given)

    async def stop_music(self, bridge_id: str) -> bool:
        """False: no music was playing, or the bridge no longer exists."""
        return await exists(self._requests.send("bridges", "stopMoh", bridgeId=bridge_id), gone=(404, 409))

    async def destroy(self, bridge_id: str) -> bool:
        """Its channels stay. False: it did not exist any more."""
        # 409: it is being destroyed at this moment, or is listed only (see `list`)
        existed = await exists(self._requests.send("bridges", "destroy", bridgeId=bridge_id), gone=(404, 409))
        if not existed:
            self._stale.add(bridge_id)
        return existed

    async def get(self, bridge_id: str) -> Bridge | None:
        """The bridge with its current channels; None if it no longer exists."""
        return await get_or_none(self._requests.send("bridges", "get", bridgeId=bridge_id), Bridge)

    async def list(self) -> list[Bridge]:
        """All bridges of the PBX, also those that are not ours.

        Asterisk 16 lists what its cache has, which now and then takes a late snapshot of a bridge that is destroyed
        already, and keeps it for ever. Those are left out: an empty one is probed, and any is known for stale once
        Asterisk has refused to destroy it.
        """
        listed = read(await self._requests.send("bridges", "list"), list[Bridge])
        self._stale &= {bridge.id for bridge in listed}
        empty = [bridge.id for bridge in listed if not bridge.channels and bridge.id not in self._stale]
        found = await asyncio.gather(*map(self._exists, empty))
        self._stale |= {bridge_id for bridge_id, exists in zip(empty, found, strict=True) if not exists}
        return [bridge for bridge in listed if bridge.id not in self._stale]

    async def _exists(self, bridge_id: str) -> bool:
        """Whether Asterisk has the bridge, and not its cache alone."""
        try:
            await self._requests.send("bridges", "removeChannel", bridgeId=bridge_id, channel=_NO_CHANNEL)
        except PeerRefused as error:
            return error.status not in (404, 409)  # 400 of a bridge that exists: there is no such channel
        return True
