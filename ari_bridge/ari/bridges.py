"""ARI bridges. Each method raises PeerRefused, PeerTimeout or PeerUnreachable."""

from ari_bridge.ari.channels import Channels
from ari_bridge.ari.models import Bridge
from ari_bridge.ari.rest import RestClient, exists, get_or_none, read


class Bridges:
    def __init__(self, requests: RestClient, channels: Channels) -> None:
        self._requests = requests
        self._channels = channels
        self._app = channels.app

    async def create(self, bridge_id: str) -> None:
        """A mixing bridge. Its name is our application's: so we know it for ours after a restart."""
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
        # 409: it is being destroyed at this moment
        return await exists(self._requests.send("bridges", "destroy", bridgeId=bridge_id), gone=(404, 409))

    async def get(self, bridge_id: str) -> Bridge | None:
        """The bridge with its current channels; None if it no longer exists."""
        return await get_or_none(self._requests.send("bridges", "get", bridgeId=bridge_id), Bridge)

    async def list(self) -> list[Bridge]:
        """All bridges of the PBX, also those that are not ours."""
        return read(await self._requests.send("bridges", "list"), list[Bridge])
