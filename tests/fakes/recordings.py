"""The part of the fake Asterisk that records bridges.

    pbx.sound = b"RIFF…"          # what every recording will sound like
    pbx.stored["CALL-rec1"] = …   # a recording from before

`tape` holds what is being recorded, `stored` the files, `played` what was played to which bridge.
"""

import io
import wave
from dataclasses import dataclass
from typing import Any

from aiohttp import web


def a_sound(seconds: float = 0.1) -> bytes:
    """A WAV file as Asterisk writes them, of nothing."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * int(8000 * seconds)))
    return data.getvalue()


@dataclass
class Tape:
    bridge: str
    state: str = "recording"


class FakeRecordings:
    """Mixed into the fake Asterisk, whose bridges it records."""

    bridges: dict[str, list[str]]

    def __init__(self) -> None:
        self.sound = a_sound()
        self.tape: dict[str, Tape] = {}
        self.stored: dict[str, bytes] = {}
        self.played: list[tuple[str, str]] = []
        self.cut_files = False  # a download ends in its middle

    async def emit(self, type: str, **fields: Any) -> None:
        raise NotImplementedError

    async def begin(self, name: str, bridge_id: str) -> None:
        """It is being recorded, and all are told."""
        self.tape[name] = Tape(bridge_id)
        await self.emit("RecordingStarted", recording=self._live(name))

    async def finish(self, name: str, *, event: str = "RecordingFinished", **fields: Any) -> None:
        """It is over: its file is complete, and all are told."""
        tape = self.tape.pop(name)
        self.stored[name] = self.sound
        recording = {"name": name, "format": "wav", "state": "done", "target_uri": f"bridge:{tape.bridge}"}
        await self.emit(event, recording={**recording, "duration": 0, **fields})

    async def finish_of_bridge(self, bridge_id: str) -> None:
        for name in [name for name, tape in self.tape.items() if tape.bridge == bridge_id]:
            await self.finish(name)

    async def _bridges_record(self, asked: dict[str, Any]) -> Any:
        name, bridge = asked["name"], asked["bridgeId"]
        if bridge not in self.bridges:
            raise web.HTTPNotFound(text='{"message": "Bridge not found"}')
        if name in self.tape or name in self.stored:
            raise web.HTTPConflict(text='{"message": "A recording with this name already exists"}')
        await self.begin(name, bridge)
        return self._live(name)

    async def _bridges_play(self, asked: dict[str, Any]) -> Any:
        if asked["bridgeId"] not in self.bridges:
            raise web.HTTPNotFound(text='{"message": "Bridge not found"}')
        self.played.append((asked["bridgeId"], asked["media"]))
        return {"id": "playback", "media_uri": asked["media"], "state": "queued"}

    async def _recordings_listStored(self, asked: dict[str, Any]) -> Any:
        return [{"name": name, "format": "wav"} for name in [*self.stored, *self.tape]]

    async def _recordings_getStoredFile(self, asked: dict[str, Any]) -> Any:
        data = self._stored(asked)
        if not self.cut_files:
            return web.Response(body=data, content_type="audio/wav")
        response = web.Response(body=data[: len(data) // 2], headers={"Content-Length": str(len(data))})
        response.force_close()
        return response

    async def _recordings_deleteStored(self, asked: dict[str, Any]) -> None:
        self._stored(asked)
        del self.stored[asked["recordingName"]]

    async def _recordings_getLive(self, asked: dict[str, Any]) -> Any:
        self._tape(asked)
        return self._live(asked["recordingName"])

    async def _recordings_stop(self, asked: dict[str, Any]) -> None:
        self._tape(asked)
        await self.finish(asked["recordingName"])

    async def _recordings_pause(self, asked: dict[str, Any]) -> None:
        self._tape(asked).state = "paused"

    async def _recordings_unpause(self, asked: dict[str, Any]) -> None:
        self._tape(asked).state = "recording"

    def _live(self, name: str) -> dict[str, Any]:
        tape = self.tape[name]
        return {"name": name, "format": "wav", "state": tape.state, "target_uri": f"bridge:{tape.bridge}"}

    def _tape(self, asked: dict[str, Any]) -> Tape:
        try:
            return self.tape[asked["recordingName"]]
        except KeyError:
            raise web.HTTPNotFound(text='{"message": "Recording not found"}') from None

    def _stored(self, asked: dict[str, Any]) -> bytes:
        try:
            return self.stored[asked["recordingName"]]
        except KeyError:
            raise web.HTTPNotFound(text='{"message": "Recording not found"}') from None
