"""From Asterisk to the store and nowhere else: whatever fails in between is tried again, and nothing is lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ari_bridge import metrics
from ari_bridge.fsm.call import Call, CallState, Recording, RecordingStatus
from ari_bridge.hooks import CallReleased
from ari_bridge.recordings.collector import Step
from ari_bridge.recordings.s3_store import S3Store
from tests.component.call_store.conftest import a_call
from tests.component.conftest import until
from tests.component.recordings.conftest import PREFIX, Archive, an_archive
from tests.fakes.ari import FakeAri
from tests.fakes.recordings import a_sound
from tests.fakes.s3 import FakeS3


def spooled(state_dir: Path) -> list[str]:
    return sorted(path.name for path in (state_dir / "recordings-spool").iterdir())


async def test_a_recording_that_is_finished_goes_to_the_store(archive: Archive, tmp_path: Path) -> None:
    archive.pbx.sound = a_sound(0.5)
    await archive.record("call1-rec1")
    await archive.kept("call1-rec1")
    assert await archive.sound("call1-rec1") == archive.pbx.sound
    assert archive.pbx.stored == {} and spooled(tmp_path / "state") == []
    recording = archive.library.get("call1-rec1")
    assert recording
    assert (recording.call_id, recording.user, recording.caller, recording.target) == ("call1", "1001", "1000", "600")
    assert recording.seconds == 0.5 and recording.size == len(archive.pbx.sound)


async def test_what_is_known_of_it_lies_beside_the_sound(
    s3: FakeS3, s3_store: S3Store, pbx: FakeAri, tmp_path: Path
) -> None:
    def call(call_id: str) -> Call:
        return a_call(
            call_id, CallState.ENDED, user="1002", recordings=(Recording("call1-rec1", RecordingStatus.OVER, 77.5),)
        )

    async with an_archive(pbx, s3_store, tmp_path / "state", call=call) as archive:
        await archive.record("call1-rec1")
        await archive.kept("call1-rec1")
    about: dict[str, Any] = json.loads(s3.objects[f"{PREFIX}/call1-rec1.json"])
    assert {name: about[name] for name in ("name", "call_id", "user", "started_at")} == {
        "name": "call1-rec1",
        "call_id": "call1",
        "user": "1002",
        "started_at": 77.5,
    }


async def test_several_of_a_call_and_one_told_twice(archive: Archive) -> None:
    for name in ("call1-rec1", "call1-rec2", "call2-rec1"):
        await archive.record(name)
        archive.collector.finished(name)
    await archive.kept("call1-rec1", "call1-rec2", "call2-rec1")
    archive.collector.finished("call1-rec1")  # late
    await archive.kept()
    assert len(archive.library) == 3 and archive.collector.troubles == {}


async def test_what_finished_while_nobody_listened_is_found_at_the_connect(
    pbx: FakeAri, s3_store: S3Store, tmp_path: Path
) -> None:
    pbx.stored = {"call1-rec1": a_sound(), "other1-rec1": a_sound(), "voicemail": a_sound(), "call2-rec1": b"half"}
    await pbx.begin("call3-rec1", "call3-br")
    async with an_archive(pbx, s3_store, tmp_path / "state") as archive:
        await archive.kept("call1-rec1", "call2-rec1")
        assert set(pbx.stored) == {"other1-rec1", "voicemail"} and set(pbx.tape) == {"call3-rec1"}
        assert len(archive.library) == 2
        pbx.mute.add("RecordingFinished")
        await pbx.finish("call3-rec1")
        await pbx.drop_stream()  # and the event with it
        await archive.kept("call3-rec1")


async def test_of_a_call_that_is_released_all_is_kept_though_asterisk_does_not_tell(
    pbx: FakeAri, s3_store: S3Store, tmp_path: Path
) -> None:
    pbx.mute.add("RecordingFinished")
    tapes = (Recording("call1-rec1", RecordingStatus.OVER, 1.0), Recording("call1-rec2", RecordingStatus.ON, 2.0))
    async with an_archive(pbx, s3_store, tmp_path / "state") as archive:
        await pbx.begin("call1-rec2", "call1-br")
        archive.collector.on_hook(CallReleased(a_call("call1", CallState.ENDED, recordings=tapes)))
        assert archive.collector.pending == 1, "the first was told of"
        await until(lambda: pbx.count("recordings.getLive") >= 3, "it is asked for again and again")
        assert not archive.library.get("call1-rec2"), "it is still being written"
        await pbx.finish("call1-rec2")
        await archive.kept("call1-rec2")
        assert archive.collector.troubles == {} and pbx.stored == {}


async def test_one_that_failed_in_asterisk_is_kept_as_far_as_it_goes(archive: Archive) -> None:
    await archive.ari.bridges.create("call1-br")
    await archive.ari.recordings.start("call1-br", "call1-rec1")
    archive.pbx.sound = a_sound(0.3)[:-1000]
    await archive.pbx.finish("call1-rec1", event="RecordingFailed", cause="disk full")
    await archive.kept("call1-rec1")
    recording = archive.library.get("call1-rec1")
    assert recording and 0.2 < recording.seconds < 0.3


async def test_what_is_no_sound_is_kept_all_the_same(archive: Archive) -> None:
    archive.pbx.sound = b"no sound at all"
    await archive.record("call1-rec1")
    await archive.kept("call1-rec1")
    assert await archive.sound("call1-rec1") == b"no sound at all"


async def test_one_that_asterisk_does_not_have_is_given_up(archive: Archive) -> None:
    archive.collector.finished("call1-rec1")
    archive.collector.finished("../../etc/passwd")
    await until(lambda: not archive.collector.pending, "it is given up")
    assert len(archive.library) == 0


@pytest.mark.parametrize("trouble", ["refuse", "garble", "cut", "hang"])
async def test_a_store_in_trouble_delays_and_loses_nothing(
    pbx: FakeAri, s3: FakeS3, s3_store: S3Store, tmp_path: Path, trouble: str
) -> None:
    async with an_archive(pbx, s3_store, tmp_path / "state") as archive:
        setattr(s3, trouble, 503 if trouble == "refuse" else True)
        failed = metrics.RECORDING_FAILURES.labels("store")._value.get()
        sounds = {}
        for number in range(5):
            pbx.sound = sounds[f"call{number}-rec1"] = a_sound(0.1 * (number + 1))
            await archive.record(f"call{number}-rec1")
        await until(lambda: Step.STORE in archive.collector.troubles, "the operator is told")
        assert set(pbx.stored) == set(sounds), "nothing is deleted before it is kept"
        assert metrics.RECORDING_FAILURES.labels("store")._value.get() > failed
        assert metrics.RECORDINGS_PENDING._value.get() == 5
        setattr(s3, trouble, 0)
        await archive.kept(*sounds)
        assert {name: await archive.sound(name) for name in sounds} == sounds
        assert pbx.stored == {} and archive.collector.troubles == {}
        assert metrics.RECORDINGS_PENDING._value.get() == 0


@pytest.mark.parametrize("trouble", ["refused", "cut", "hung", "gone"])
async def test_an_asterisk_in_trouble_delays_and_loses_nothing(
    archive: Archive, pbx: FakeAri, tmp_path: Path, trouble: str
) -> None:
    operation = "recordings.getStoredFile"
    match trouble:
        case "refused":
            pbx.refuse[operation] = 500
        case "cut":
            pbx.cut_files = True
        case "hung":
            pbx.hang.add(operation)
        case _:
            pbx.refuse[operation] = 500
    await archive.record("call1-rec1")
    await until(lambda: Step.FETCH in archive.collector.troubles, "the operator is told")
    assert len(archive.library) == 0
    if trouble == "gone":
        await pbx.stop()
        await until(lambda: not archive.ari.connected, "it is gone")
        await pbx.start()
    pbx.refuse.clear()
    pbx.hang.clear()
    pbx.cut_files = False
    await archive.kept("call1-rec1")
    assert await archive.sound("call1-rec1") == pbx.sound
    assert pbx.stored == {} and spooled(tmp_path / "state") == []


async def test_one_that_never_works_does_not_stop_the_others(archive: Archive) -> None:
    with capture_logs() as logs:
        (archive.state_dir / "recordings-spool" / "bad1-rec1.wav.part").mkdir(parents=True)  # it cannot be written
        await archive.record("bad1-rec1")
        await until(lambda: Step.FETCH in archive.collector.troubles, "the operator is told")
        for number in range(5):
            await archive.record(f"call{number}-rec1")
        await until(lambda: archive.collector.pending == 1, "the others are kept")
        assert set(archive.pbx.stored) == {"bad1-rec1"} and len(archive.library) == 5
    assert [line["event"] for line in logs if line["event"].startswith("recordings ")] == ["recordings are delayed"]


async def test_a_delete_that_asterisk_refuses_is_tried_again_without_another_upload(
    pbx: FakeAri, s3: FakeS3, s3_store: S3Store, tmp_path: Path
) -> None:
    pbx.refuse["recordings.deleteStored"] = 500
    state = tmp_path / "state"
    async with an_archive(pbx, s3_store, state) as archive:
        await archive.record("call1-rec1")
        await until(lambda: Step.DELETE in archive.collector.troubles, "the operator is told")
        assert archive.library.get("call1-rec1") and spooled(state) == ["call1-rec1.kept"]
        await archive.library.delete("call1-rec1")  # its user wants none of it
    async with an_archive(pbx, s3_store, state) as archive:  # the next process
        pbx.refuse.clear()
        await until(lambda: pbx.stored == {}, "it is deleted in Asterisk")
        await archive.kept()
        assert len(archive.library) == 0 and s3.objects == {}, "what a user has deleted does not come back"
    assert spooled(state) == []


async def test_what_waits_when_asterisk_is_lost_for_good_still_arrives(
    pbx: FakeAri, s3: FakeS3, s3_store: S3Store, tmp_path: Path
) -> None:
    s3.refuse = 503
    async with an_archive(pbx, s3_store, tmp_path / "state") as archive:
        await archive.record("call1-rec1")
        await until(lambda: Step.STORE in archive.collector.troubles, "it has been fetched")
    pbx.stored.clear()  # its disk is gone
    s3.refuse = 0
    async with an_archive(pbx, s3_store, tmp_path / "state") as archive:
        await archive.kept("call1-rec1")
        assert await archive.sound("call1-rec1") == pbx.sound
