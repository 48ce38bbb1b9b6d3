"""Bridges of a real Asterisk are recorded, collected, and recognised by their sound; also when something is killed."""

import asyncio
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.events import AriEvent, RecordingFinished
from ari_bridge.errors import PeerRefused
from ari_bridge.net import RtpAddress
from ari_bridge.recordings import Collector, Library
from ari_bridge.recordings.disk_store import DiskStore
from ari_bridge_client.audio import Samples
from deploy.demo.asterisk import INSIDE, Asterisk
from tests.component.call_store.conftest import ROOT
from tests.component.conftest import until
from tests.component.recordings.conftest import an_ended_call
from tests.fakes.s3 import FakeS3
from tests.real.parts import VERSIONS, Pbxes, new_pbx
from tests.real.rtp import RtpPeer, Stream

pytestmark = pytest.mark.real

OURS, THEIRS, SECRET = 440.0, 700.0, 1800.0  # Hz of the sides, and of what is said in a pause
SECONDS = 20.0  # for whatever is waited for


@asynccontextmanager
async def connected(url: str, user: str, password: str, app: str = "ari-recordings-test") -> AsyncIterator[Ari]:
    ari = Ari(url, user, password, app)
    await ari.start()
    try:
        async with asyncio.timeout(SECONDS):
            while not ari.connected:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield ari
    finally:
        await ari.close()


@pytest.fixture(params=VERSIONS)
def asterisk(request: pytest.FixtureRequest, pbxes: Pbxes) -> Asterisk:
    return pbxes.get(request.param).asterisk


@pytest.fixture
async def ari(asterisk: Asterisk) -> AsyncIterator[Ari]:
    async with connected(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password) as ari:
        yield ari


class Room:
    """A bridge, and phones that say a tone each."""

    def __init__(self, ari: Ari, name: str) -> None:
        self.bridge = f"{name}-br"
        self._ari = ari
        self._name = name
        self._phones = AsyncExitStack()
        self._channels: list[str] = []
        self._entered: asyncio.Queue[str] = asyncio.Queue()
        ari.on_event(lambda event: self._entered.put_nowait("") if event.type == "StasisStart" else None)

    async def __aenter__(self) -> "Room":
        await self._ari.bridges.create(self.bridge)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._phones.aclose()
        if self._ari.connected:
            for channel in self._channels:
                await self._ari.channels.hangup(channel)
            await self._ari.bridges.destroy(self.bridge)

    async def enter(self, hz: float) -> RtpPeer:
        """A phone that says this tone, and hears the others."""
        phone = await self._phones.enter_async_context(RtpPeer(hz))
        channel = f"{self._name}-{len(self._channels)}"
        self._channels.append(channel)
        media = await self._ari.channels.external_media(channel, RtpAddress("127.0.0.1", phone.port))
        phone.streams[(media.host, media.port)] = Stream()  # it speaks first
        async with asyncio.timeout(SECONDS):
            await self._entered.get()
        await self._ari.bridges.add_channel(self.bridge, channel)
        return phone

    async def last_leaves(self) -> None:
        await self._ari.channels.hangup(self._channels[-1])

    async def both(self) -> None:
        """Two phones that hear each other."""
        ours, theirs = await self.enter(OURS), await self.enter(THEIRS)
        await (await ours.stream()).heard.wait_for_tone(THEIRS, SECONDS)
        await (await theirs.stream()).heard.wait_for_tone(OURS, SECONDS)


async def not_silent(phone: RtpPeer) -> None:
    heard = (await phone.stream()).heard
    async with asyncio.timeout(SECONDS):
        while heard.analyze().is_silent:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def samples(path: Path) -> tuple[Samples, int]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()


def share(path: Path, hz: float) -> float:
    """How much of the energy lies within 20 Hz of `hz`, 0-1."""
    sound, rate = samples(path)
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(sound), 1 / rate) - hz) < 20
    return float(power[near].sum() / power.sum())


class Desk:
    """Collects from `ari` into a folder."""

    def __init__(self, ari: Ari, folder: Path) -> None:
        self.folder = folder / "kept"
        self.library = Library(DiskStore(self.folder), folder / "state", days=1e6)
        self.collector = Collector(ari.recordings, self.library, folder / "state", an_ended_call)
        self.events: list[AriEvent] = []
        self._listening = True
        ari.on_event(self._told)

    def _told(self, event: AriEvent) -> None:
        if self._listening:
            self.events.append(event)
            self.collector.on_event(event)

    async def __aenter__(self) -> "Desk":
        await self.library.start()
        await self.collector.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._listening = False
        await self.collector.close()
        await self.library.close()

    async def sound_of(self, name: str) -> Path:
        """Its file, once it is kept and Asterisk has it no more. Raises TimeoutError."""
        async with asyncio.timeout(SECONDS):
            while not self.library.get(name) or self.collector.pending:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return self.folder / f"{name}.wav"


async def stored(ari: Ari, call_id: str) -> list[str]:
    return [one.name for one in await ari.recordings.stored() if one.name.startswith(call_id)]


async def test_both_sides_are_heard_and_what_is_said_in_a_pause_is_not(ari: Ari, tmp_path: Path) -> None:
    name = "realboth-rec1"
    async with Desk(ari, tmp_path) as desk, Room(ari, "realboth") as room:
        await room.both()
        await ari.recordings.start(room.bridge, name)
        with pytest.raises(PeerRefused):
            await ari.recordings.start(room.bridge, name)
        await asyncio.sleep(1.5)
        assert await ari.recordings.pause(name)
        assert await ari.recordings.pause(name), "asked twice"
        live = await ari.recordings.live(name)
        assert live and live.state == "paused"
        intruder = await room.enter(SECRET)
        await not_silent(intruder)
        await asyncio.sleep(1.0)
        await room.last_leaves()
        await asyncio.sleep(0.3)  # what of it is still under way
        assert await ari.recordings.resume(name)
        await asyncio.sleep(1.0)
        assert await ari.recordings.stop(name)
        sound = await desk.sound_of(name)
        assert share(sound, OURS) > 0.3 and share(sound, THEIRS) > 0.3
        assert share(sound, SECRET) < 0.02
        recording = desk.library.get(name)
        assert recording and recording.seconds == pytest.approx(len(samples(sound)[0]) / samples(sound)[1], abs=0.01)
        assert await stored(ari, "realboth") == [] and desk.collector.troubles == {}
        [finished] = [event for event in desk.events if isinstance(event, RecordingFinished)]
        ended = finished.raw["recording"]
        assert ended["target_uri"] == f"bridge:{room.bridge}" and ended["duration"] is not None
        assert not await ari.recordings.stop(name)


async def test_a_recording_ends_with_its_bridge_and_the_next_has_another_name(ari: Ari, tmp_path: Path) -> None:
    async with Desk(ari, tmp_path) as desk:
        for number in (1, 2):
            async with Room(ari, f"realends{number}") as room:
                await room.both()
                await ari.recordings.start(room.bridge, f"realends-rec{number}")
                await asyncio.sleep(1.0)
        for number in (1, 2):
            sound = await desk.sound_of(f"realends-rec{number}")
            assert share(sound, OURS) > 0.3 and share(sound, THEIRS) > 0.3
    assert await stored(ari, "realends") == []


async def test_what_was_recorded_while_nobody_listened_is_found(ari: Ari, tmp_path: Path) -> None:
    async with Room(ari, "realfound") as room:
        await room.both()
        await ari.recordings.start(room.bridge, "realfound-rec1")
        await asyncio.sleep(1.0)
        await ari.recordings.stop("realfound-rec1")
        await ari.recordings.start(room.bridge, "realfound-rec2")  # goes on
        await asyncio.sleep(0.5)
        async with Desk(ari, tmp_path) as desk:
            async with asyncio.timeout(SECONDS):
                while await ari.recordings.live("realfound-rec1"):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await desk.collector.sweep()
            assert share(await desk.sound_of("realfound-rec1"), OURS) > 0.3
            assert await stored(ari, "realfound") == ["realfound-rec2"], "one that goes on is not touched"
            await ari.recordings.stop("realfound-rec2")
            await desk.sound_of("realfound-rec2")


async def test_an_announcement_is_heard_by_both(ari: Ari) -> None:
    async with Room(ari, "realsay") as room:
        phones = [await room.enter(0.0), await room.enter(0.0)]  # that say nothing
        await ari.recordings.play(room.bridge, f"sound:{INSIDE}/lib/sounds/music")
        await asyncio.gather(*map(not_silent, phones))
        await ari.recordings.play(room.bridge, "sound:no-such-sound")  # no failure


async def test_killed_between_fetch_and_upload(ari: Ari, asterisk: Asterisk, tmp_path: Path) -> None:
    name = "realkill-rec1"
    async with Room(ari, "realkill") as room:
        await room.both()
        await ari.recordings.start(room.bridge, name)
        await asyncio.sleep(1.0)
    async with FakeS3() as s3:
        s3.hang = True
        command = [sys.executable, "-m", "tests.component.recordings.collecting"]
        command += [asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, "ari-killed", str(tmp_path)]
        command += [f"s3://{s3.bucket}/calls", s3.url, s3.region, s3.key, s3.secret]
        for last in (False, True):
            process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
            try:
                async with asyncio.timeout(SECONDS):
                    while await stored(ari, "realkill") if last else not s3.asked_for(f"calls/{name}"):  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
            finally:
                process.kill()
                await process.wait()
            if not last:
                assert (tmp_path / "recordings-spool" / f"{name}.wav").exists()
                assert await stored(ari, "realkill") == [name], "Asterisk keeps it until the store has it"
                s3.hang = False
        (tmp_path / "heard.wav").write_bytes(s3.objects[f"calls/{name}.wav"])
    assert share(tmp_path / "heard.wav", OURS) > 0.3 and share(tmp_path / "heard.wav", THEIRS) > 0.3


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_recording_of_a_killed_asterisk_plays_to_its_end(version: str, tmp_path: Path) -> None:
    asterisk = new_pbx(tmp_path / "pbx", version).asterisk
    with asterisk:
        async with connected(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password) as ari:
            async with Room(ari, "realdead") as room:
                await room.both()
                await ari.recordings.start(room.bridge, "realdead-rec1")
                async with asyncio.timeout(SECONDS):
                    while size_of(asterisk.recordings / "realdead-rec1.wav") < 40_000:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                os.kill(asterisk.pid, signal.SIGKILL)
                await until(lambda: not ari.connected, "it is gone")
            await asyncio.to_thread(asterisk.start)
            async with asyncio.timeout(SECONDS):
                while not ari.connected:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            async with Desk(ari, tmp_path) as desk:
                await desk.collector.sweep()
                sound = await desk.sound_of("realdead-rec1")
                recording = desk.library.get("realdead-rec1")
                assert recording and recording.seconds > 2.0
                assert len(samples(sound)[0]) > 16_000
                assert share(sound, OURS) > 0.3 and share(sound, THEIRS) > 0.3


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
