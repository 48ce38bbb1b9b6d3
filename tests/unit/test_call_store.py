"""What is kept of a call, the lock, and the journal, each by itself."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from ari_bridge.call_store import StoreRefused
from ari_bridge.call_store.clock import Clock, as_of, set_by
from ari_bridge.call_store.process_lock import ProcessLock
from ari_bridge.call_store.rows import PERSISTED_FIELDS, TRANSIENT_FIELDS, Row, persisted_values, to_call, to_row
from ari_bridge.call_store.spill_journal import SpillJournal, directory, name
from ari_bridge.fsm.call import (
    Call,
    CallState,
    Direction,
    MediaLeg,
    Milestone,
    Party,
    PartyState,
    Recording,
    RecordingStatus,
    Resource,
    SipChannel,
    Step,
)
from ari_bridge.fsm.timing import Deadline, Timer
from ari_bridge.net import RtpAddress
from ari_bridge.outcomes import Cause, Outcome

PLAIN = Call("call", Direction.INBOUND, "100", "0301234", 1.5)
FULL_LEG = MediaLeg(
    3, "v=0", "v=0", RtpAddress("192.0.2.1", 4000), RtpAddress("2001:db8::1", 4002),
    frozenset({Milestone.MEDIA_OFFERED}), frozenset({Step.OFFER_MEDIA}), frozenset({Step.OFFER_MEDIA}),
    frozenset({Resource.MEDIA_SESSION}), frozenset({Resource.MEDIA_SESSION}),
)  # fmt: skip
FULL = Call(
    id="call",
    direction=Direction.INBOUND,
    target="100",
    caller="0301234",
    created_at=1.5,
    caller_name="Müller “Ö” \u2603",
    redirected_to="200",
    state=CallState.ENDED,
    user="alice",
    session="token",
    users=frozenset({"alice", "bob"}),
    far_channel="1700000000.1",
    far_number="7009",
    far_name="Sales",
    endpoint="PJSIP/100@trunk",
    phone="PJSIP/edge/sip:1001@127.0.0.1:5060",
    near=SipChannel("1700000000.2", "PJSIP/edge-1", holds=True),
    leg=FULL_LEG,
    old_legs=(MediaLeg(1, allocated=frozenset({Resource.EXTERNAL_MEDIA})),),
    last_leg=4,
    milestones=frozenset({Milestone.MEDIA_OFFERED}),
    started=frozenset({Step.DIAL_FAR}),
    pending=frozenset({Step.DIAL_FAR}),
    allocated=frozenset({Resource.BRIDGE}),
    releasing=frozenset({Resource.BRIDGE}),
    owner_away=True,
    media_lost=True,
    client_silent=True,
    moh_on=True,
    isolated=True,
    held=True,
    held_by_far=True,
    parties=(
        Party(2, "call-far2", "7001", 5.5, outcome=Outcome.BUSY, state=PartyState.GONE),
        Party(3, "other-far", "7002", 6.5, started=frozenset({Step.BRIDGE_PARTY}), state=PartyState.UP),
    ),
    transferring=3,
    deadlines=(Deadline(Timer.PARTY, 2, 10.5, 55.5),),
    ownerless=True,
    left_outcome=Outcome.TRANSFERRED,
    left_at=7.5,
    recordings=(Recording("call-rec1", RecordingStatus.PAUSED, 8.5),),
    metadata={"order": "4711"},
    prefer="pcmu",
    ring_seconds=12.5,
    forward="voicemail",
    dial_status="BUSY",
    hangup_q850=17,
    dialplan_status="NOANSWER",
    outcome=Outcome.LOST,
    cause=Cause(16, "Normal Clearing", 200),
    ringing_at=2.5,
    answered_at=3.5,
    ended_at=4.5,
)


def required() -> set[str]:
    return {field.name for field in msgspec.structs.fields(Call) if field.required}


def test_of_every_field_it_is_said_whether_it_is_kept() -> None:
    assert sorted((*PERSISTED_FIELDS, *TRANSIENT_FIELDS, "leg")) == sorted(Call.__struct_fields__)


def test_a_field_that_older_records_lack_must_have_a_default() -> None:
    assert required() == {"id", "direction", "target", "caller", "created_at"}


def test_what_is_kept_comes_back_and_the_rest_is_as_at_the_beginning() -> None:
    optional = set(Call.__struct_fields__) - required()
    assert [field for field in optional if getattr(FULL, field) == getattr(PLAIN, field)] == [], "a weak example"
    back = to_call(to_row(FULL, 1, 9.0))
    leg = MediaLeg(3, media_address=FULL_LEG.media_address, external_media_address=FULL_LEG.external_media_address)
    assert back == replace(FULL, leg=leg, **{field: getattr(PLAIN, field) for field in TRANSIENT_FIELDS})


@pytest.mark.parametrize("last", [0, 3])
def test_a_call_without_a_present_leg_comes_back_without_one(last: int) -> None:
    call = replace(PLAIN, last_leg=last, old_legs=(MediaLeg(3, allocated=frozenset({Resource.EXTERNAL_MEDIA})),))
    assert to_call(to_row(call, 1, 9.0)) == replace(PLAIN, last_leg=last)


def test_a_leg_that_is_another_or_has_another_address_is_told_apart_and_its_progress_is_not() -> None:
    others = [None, replace(FULL_LEG, number=4), replace(FULL_LEG, media_address=None)]
    others.append(replace(FULL_LEG, external_media_address=RtpAddress("192.0.2.1", 1)))
    for other in others:
        assert persisted_values(replace(FULL, leg=other)) != persisted_values(FULL)
    moved_on = MediaLeg(3, media_address=FULL_LEG.media_address, external_media_address=FULL_LEG.external_media_address)
    assert persisted_values(replace(FULL, leg=moved_on)) == persisted_values(FULL)


@pytest.mark.parametrize("field", PERSISTED_FIELDS[1:])
def test_two_calls_that_differ_in_what_is_kept_are_told_apart(field: str) -> None:
    other = replace(PLAIN, direction=Direction.OUTBOUND, target="1", caller="1", created_at=1.0)
    assert persisted_values(replace(FULL, **{field: getattr(other, field)})) != persisted_values(FULL)


@pytest.mark.parametrize("field", TRANSIENT_FIELDS)
def test_two_calls_that_differ_in_the_rest_are_one(field: str) -> None:
    assert persisted_values(replace(FULL, **{field: getattr(PLAIN, field)})) == persisted_values(FULL)


def test_deadlines_of_this_boot_are_those_of_the_monotonic_clock_wherever_the_wall_clock_stands() -> None:
    deadlines = FULL.deadlines
    assert as_of(deadlines, Clock("boot", 20.0, 1000.0), Clock("boot", 30.0, 1.0)) == deadlines


@pytest.mark.parametrize("boot", ["other", ""])
def test_deadlines_of_another_boot_are_told_by_the_wall_clock(boot: str) -> None:
    [deadline] = as_of(FULL.deadlines, Clock(boot, 20.0, 1000.0), Clock("boot" if boot else "", 5.0, 1010.0))
    assert deadline.due - 5.0 == FULL.deadlines[0].due - 20.0 - 10.0
    [deadline] = as_of(FULL.deadlines, Clock(boot, 20.0, 1000.0), Clock("boot" if boot else "", 5.0, 900.0))
    assert deadline.due - 5.0 == FULL.deadlines[0].due - 20.0, "a wall clock that was set back adds no time"


def test_a_record_of_an_older_version_gets_the_defaults() -> None:
    old = {"id": "call", "direction": "inbound", "target": "100", "caller": "0301234", "created_at": 1.5}
    assert to_call(a_row(old)) == PLAIN


def test_fields_are_stored_under_the_names_that_earlier_versions_gave_them() -> None:
    stored = msgspec.json.decode(to_row(FULL, 1, 0.0).record)
    assert stored["left"] == Outcome.TRANSFERRED.value
    assert stored["moved_to"] == "200"
    assert {"asked", "waiting", "leaving", "moved_to"} <= stored["parties"][0].keys()


def test_a_record_of_a_newer_version_is_read_without_what_we_do_not_know() -> None:
    new = msgspec.json.decode(to_row(PLAIN, 1, 9.0).record) | {"mood": "fine", "cause": {"q850": 1, "tone": "sharp"}}
    assert to_call(a_row(new)) == replace(PLAIN, cause=Cause(1))


@pytest.mark.parametrize("record", [{}, {"id": 1}, {"direction": "sideways"}])
def test_a_record_that_is_none_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        to_call(a_row(record))


@pytest.mark.parametrize(
    ("call", "ended_at"),
    [
        (PLAIN, None),
        (replace(FULL, state=CallState.ENDING), None),
        (FULL, 4.5),
        (replace(FULL, ended_at=None), 9.0),
    ],
)
def test_a_call_has_ended_when_nothing_of_it_is_left(call: Call, ended_at: float | None) -> None:
    assert to_row(call, 1, now=9.0).ended_at == ended_at


def a_row(record: Any, call_id: str = "call", revision: int = 1) -> Row:
    return Row(call_id, revision, 1.5, None, msgspec.Raw(msgspec.json.encode(record)))


def test_a_wall_clock_that_was_set_since_is_noticed() -> None:
    written = Clock("boot", 20.0, 1000.0)
    assert set_by(written, Clock("boot", 30.0, 1010.0)) == 0.0
    assert set_by(written, Clock("boot", 30.0, 910.0)) == -100.0
    assert set_by(written, Clock("another", 1.0, 5000.0)) == set_by(Clock("", 1.0, 1.0), Clock("", 2.0, 9.0)) == 0.0


def test_the_times_of_a_call_that_stands_follow_a_wall_clock_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    row, wall = to_row(PLAIN, 1, now=9.0), time.time
    monkeypatch.setattr(time, "time", lambda: wall() - 3600)
    assert to_call(row).created_at == pytest.approx(PLAIN.created_at - 3600, abs=0.5)


# --- the lock --------------------------------------------------------------------------


def test_the_lock_names_its_holder_and_is_free_after_it(tmp_path: Path) -> None:
    first, second = ProcessLock(tmp_path / "state" / "calls.lock"), ProcessLock(tmp_path / "state" / "calls.lock")
    first.take()
    first.take()
    with pytest.raises(StoreRefused, match=rf"{tmp_path}/state is in use .*\(process {os.getpid()}\).*calls.lock is"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_lock_whose_folder_was_deleted_is_taken_anew(tmp_path: Path) -> None:
    lock, other = ProcessLock(tmp_path / "calls.lock"), ProcessLock(tmp_path / "calls.lock")
    lock.take()
    lock.path.unlink()
    lock.take()
    with pytest.raises(StoreRefused):
        other.take()
    lock.release()


def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    lock, other = ProcessLock(tmp_path / "calls.lock"), ProcessLock(tmp_path / "calls.lock")
    lock.take()
    command = [sys.executable, "-c", "print(flush=True); input()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, close_fds=False, stdin=pipe, stdout=pipe) as child:
        assert child.stdout and child.stdout.readline()  # it runs
        lock.release()
        other.take()
        other.release()
        child.kill()


# --- the journal -------------------------------------------------------------------------


def test_rows_are_read_in_the_order_they_were_written(tmp_path: Path) -> None:
    journal, rows = SpillJournal(tmp_path / "journal"), [a_row({"n": n}, f"call{n}", n) for n in range(4)]
    assert list(journal.rows()) == []
    journal.rewrite(rows[:2])
    journal.append(rows[2])
    journal.append(rows[3])
    assert list(SpillJournal(tmp_path / "journal").rows()) == rows
    assert journal.path.stat().st_mode & 0o777 == 0o600
    journal.remove()
    assert list(tmp_path.iterdir()) == [] and not journal.exists


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_line_hides_no_other(tmp_path: Path, cut: int) -> None:
    journal = SpillJournal(tmp_path / "journal")
    journal.rewrite([a_row({}, "first"), a_row({}, "second")])
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    expected = ["first", "second"] if cut == 1 else ["first"]  # all but the line's end: it is whole
    assert [row.id for row in journal.rows()] == expected
    journal.close()


def test_after_a_line_that_failed_the_next_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SpillJournal(tmp_path / "journal")
    journal.rewrite([a_row({}, "first")])
    write = os.write

    def half(fd: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return write(fd, data[: len(data) - 10])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            journal.append(a_row({}, "second"))
    journal.append(a_row({}, "third"))
    assert [row.id for row in journal.rows()] == ["first", "third"]
    journal.close()


def test_the_old_journal_stands_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SpillJournal(tmp_path / "journal")
    journal.rewrite([a_row({}, "first")])

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.rewrite([a_row({}, "second")])
    assert [row.id for row in journal.rows()] == ["first"] and journal.exists
    journal.append(a_row({}, "third"))
    assert [row.id for row in journal.rows()] == ["first", "third"]
    journal.close()
    assert list(tmp_path.iterdir()) == [journal.path]


def test_each_state_directory_has_a_journal_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert name(Path("state")) == name(tmp_path / "state") == name(tmp_path / "other" / ".." / "state")
    assert name(Path("state")) != name(Path("other"))
    (tmp_path / "link").symlink_to(tmp_path / "state")
    assert name(Path("link")) == name(Path("state"))


def test_the_journal_is_not_on_the_state_directorys_filesystem_where_there_is_another(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no filesystem in memory here")
    assert directory(tmp_path / "not" / "yet" / "made") == memory
    assert directory(memory / "state") != memory
