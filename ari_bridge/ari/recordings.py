"""What a bridge sounds like: recorded to files in Asterisk's spool, fetched, deleted; and sounds played to it.

Each method raises PeerRefused, PeerTimeout or PeerUnreachable. Source: ARI `recordings` and `bridges`.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from ari_bridge.ari.http import Transport
from ari_bridge.ari.models import LiveRecording, StoredRecording
from ari_bridge.ari.rest import RestClient, exists, get_or_none, read

DOWNLOAD_TIMEOUT_S = 600.0
"""For a whole file: an hour of sound is 58 MB. One that stops coming fails much sooner."""


class Recordings:
    def __init__(self, requests: RestClient, transport: Transport) -> None:
        self._requests = requests
        self._transport = transport

    async def start(self, bridge_id: str, name: str, *, format: str = "wav", beep: bool = False) -> None:
        """Record the audio of the bridge, until `stop` or until the bridge is destroyed.

        Refused (409) if a recording of that name exists, live or stored: none is ever overwritten. 422: Asterisk
        does not know the format. `beep`: everybody in the bridge hears one first; an Asterisk that has no sound `beep`
        ends the recording at once, and tells no reason.
        """
        await self._requests.send(
            "bridges",
            "record",
            bridgeId=bridge_id,
            name=name,
            format=format,
            maxDurationSeconds=0,
            ifExists="fail",
            beep="true" if beep else "false",
            terminateOn="none",
        )

    async def pause(self, name: str) -> bool:
        """Pause it; pausing twice is fine. False: there is no such live recording."""
        return await exists(self._requests.send("recordings", "pause", recordingName=name), gone=(404, 409))

    async def resume(self, name: str) -> bool:
        """False: no such recording is live."""
        return await exists(self._requests.send("recordings", "unpause", recordingName=name), gone=(404, 409))

    async def stop(self, name: str) -> bool:
        """Its file is kept, and RecordingFinished tells when it is complete. False: no such recording is live."""
        return await exists(self._requests.send("recordings", "stop", recordingName=name), gone=(404, 409))

    async def live(self, name: str) -> LiveRecording | None:
        """The live recording; None: it does not exist (any more)."""
        return await get_or_none(self._requests.send("recordings", "getLive", recordingName=name), LiveRecording)

    async def stored(self) -> list[StoredRecording]:
        """All files in Asterisk's spool, also those that are not ours, and those that are being written."""
        return read(await self._requests.send("recordings", "listStored"), list[StoredRecording])

    async def download(self, name: str, take: Callable[[bytes], Awaitable[None]]) -> bool:
        """Hand the file to `take`, piece by piece. False: there is none.

        What `take` raises goes through. Exists since Asterisk 14.
        """
        path = f"/recordings/stored/{quote(name, safe='')}/file"
        request = self._transport.download(path, take, within=DOWNLOAD_TIMEOUT_S)
        return await exists(self._requests.measure("recordings.getStoredFile", request))

    async def delete(self, name: str) -> bool:
        """Delete a stored one. False: it did not exist any more."""
        return await exists(self._requests.send("recordings", "deleteStored", recordingName=name))

    async def play(self, bridge_id: str, media: str) -> None:
        """Begin to play `media` (e.g. sound:beep, recording:NAME) to all in the bridge; returns at once.

        A sound that does not exist is not an error here. Refused (404) if the bridge no longer exists.
        """
        await self._requests.send("bridges", "play", bridgeId=bridge_id, media=media)
