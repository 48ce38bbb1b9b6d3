"""ARI bridges. Each method raises PeerRefused, PeerTimeout or PeerUnreachable."""

from ari_bridge.ari.channels import Channels
from ari_bridge.ari.request import Requests, found, read
from ari_bridge.ari.resources import Bridge


class Bridges:
    def __init__(self, requests: Requests, channels: Channels) -> None:
        self._requests = requests
        self._channels = channels

    async def create(self, bridge_id: str) -> None:
        """A mixing bridge."""
        await self._requests.send("bridges", "createWithId", bridgeId=bridge_id, type="mixing")

    async def add_channel(self, bridge_id: str, channel_id: str) -> None:
        """Refused (422) before the channel's StasisStart."""
        command = self._requests.send("bridges", "addChannel", bridgeId=bridge_id, channel=channel_id)
        await self._channels.woken(channel_id, command)

    async def destroy(self, bridge_id: str) -> bool:
        """False: it was gone already. Its channels live on."""
        # 409: it is being destroyed at this moment
        return await found(self._requests.send("bridges", "destroy", bridgeId=bridge_id), gone=(404, 409))

    async def list(self) -> list[Bridge]:
        """All bridges of the PBX, also those that are not ours."""
        return read(await self._requests.send("bridges", "list"), list[Bridge])
