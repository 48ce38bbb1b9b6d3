"""Recordings over real HTTP, against the fake Asterisk; tests/integration has the real ones."""

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.events import RecordingFinished
from ari_bridge.errors import PeerRefused, PeerTimeout, PeerUnreachable
from tests.component.ari.conftest import Events
from tests.fakes.ari import FakeAri


async def fetched(ari: Ari, name: str) -> bytes:
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        pieces.append(piece)

    assert await ari.recordings.download(name, take)
    return b"".join(pieces)


async def test_the_life_of_a_recording(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await ari.bridges.create("call1-br")
    await ari.recordings.start("call1-br", "call1-rec1", beep=True)
    started = await events.next("RecordingStarted")
    recording = started.raw["recording"]
    assert recording["name"] == "call1-rec1" and recording["target_uri"] == "bridge:call1-br"
    [asked] = [asked for name, asked in pbx.requests if name == "bridges.record"]
    assert {name: asked[name] for name in ("ifExists", "maxDurationSeconds", "terminateOn", "beep", "format")} == {
        "ifExists": "fail",
        "maxDurationSeconds": "0",
        "terminateOn": "none",
        "beep": "true",
        "format": "wav",
    }
    assert await ari.recordings.pause("call1-rec1")
    live = await ari.recordings.live("call1-rec1")
    assert live and live.state == "paused"
    assert await ari.recordings.resume("call1-rec1")
    assert await ari.recordings.stop("call1-rec1")
    assert isinstance(await events.next("RecordingFinished"), RecordingFinished)
    assert [stored.name for stored in await ari.recordings.stored()] == ["call1-rec1"]
    assert await fetched(ari, "call1-rec1") == pbx.sound
    assert await ari.recordings.delete("call1-rec1")
    assert await ari.recordings.stored() == []
    await ari.recordings.play("call1-br", "sound:beep")
    assert pbx.played == [("call1-br", "sound:beep")]


async def test_what_is_not_there_is_false(ari: Ari, events: Events) -> None:
    async def take(piece: bytes) -> None:
        raise AssertionError

    recordings = ari.recordings
    assert not await recordings.pause("nothing")
    assert not await recordings.resume("nothing")
    assert not await recordings.stop("nothing")
    assert not await recordings.delete("nothing")
    assert not await recordings.download("../../etc/passwd", take)
    assert await recordings.live("nothing") is None
    with pytest.raises(PeerRefused):
        await recordings.start("nothing", "call1-rec1")
    with pytest.raises(PeerRefused):
        await recordings.play("nothing", "sound:beep")


async def test_a_download_that_fails_is_never_taken_for_whole(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.stored["call1-rec1"] = bytes(1_000_000)
    pbx.cut_files = True
    with pytest.raises(PeerUnreachable):
        await fetched(ari, "call1-rec1")
    pbx.cut_files = False
    pbx.refuse["recordings.getStoredFile"] = 403
    with pytest.raises(PeerRefused):
        await fetched(ari, "call1-rec1")
    pbx.refuse.clear()
    pbx.hang.add("recordings.getStoredFile")
    with pytest.raises(PeerTimeout):
        await fetched(ari, "call1-rec1")


async def test_a_full_disk_of_ours_is_no_fault_of_asterisk(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.stored["call1-rec1"] = bytes(1_000_000)

    async def full(piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await ari.recordings.download("call1-rec1", full)
    assert await fetched(ari, "call1-rec1") == bytes(1_000_000)
