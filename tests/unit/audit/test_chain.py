"""Whatever is done to the entries of an audit log, the chain shows it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_bridge.audit import Action, Actor, ActorKind, Chain, Detail, Entry, Head, Result
from ari_bridge.audit.entry import FIRST_HASH, hash_of, seal, storable, storable_details
from ari_bridge.audit.new_entry import new_entry

DETAILS = st.dictionaries(
    st.text(max_size=8),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.text(max_size=5)),
    max_size=4,
)
ACTIONS = st.tuples(st.sampled_from([a for a in Action if a is not Action.AUDIT_PURGE]), st.text(max_size=20), DETAILS)
LOGS = st.lists(ACTIONS, min_size=1, max_size=12)


def log_of(actions: list[tuple[Action, str, dict[str, Detail]]]) -> list[Entry]:
    entries: list[Entry] = []
    for action, object, details in actions:
        before = entries[-1].hash if entries else FIRST_HASH
        entries.append(seal(len(entries) + 1, before, new_entry(action, object, details=details)))
    return entries


def head_of(entries: list[Entry]) -> Head:
    return Head(entries[-1].number, entries[-1].hash) if entries else Head()


def breaks(entries: list[Entry], head: Head, known: Head | None = None) -> list[str]:
    chain = Chain(known)
    return [str(one) for one in [*chain.check(entries), *chain.end(head)]]


@settings(max_examples=40)
@given(LOGS)
def test_an_untouched_log_is_whole_also_after_a_database_has_stored_it(
    actions: list[tuple[Action, str, dict[str, Detail]]],
) -> None:
    entries = log_of(actions)
    stored = [msgspec.json.decode(msgspec.json.encode(entry), type=Entry) for entry in entries]
    assert breaks(stored, head_of(entries)) == []


@settings(max_examples=40)
@given(LOGS, st.data())
def test_a_deleted_entry_is_found(actions: list[tuple[Action, str, dict[str, Detail]]], data: st.DataObject) -> None:
    entries = log_of(actions)
    gone = data.draw(st.sets(st.sampled_from(range(len(entries))), min_size=1))
    assert breaks([entry for place, entry in enumerate(entries) if place not in gone], head_of(entries))


@settings(max_examples=40)
@given(LOGS, st.data())
def test_a_changed_entry_is_found_even_with_a_new_hash(
    actions: list[tuple[Action, str, dict[str, Detail]]], data: st.DataObject
) -> None:
    entries = log_of(actions)
    place = data.draw(st.sampled_from(range(len(entries))))
    changes: dict[str, Any] = {"actor": "somebody else", "at": 0.0, "result": Result.REFUSED, "details": {"new": 1}}
    field = data.draw(st.sampled_from(sorted(changes)))
    changed = msgspec.structs.replace(entries[place], **{field: changes[field]})
    if data.draw(st.booleans()):
        changed = msgspec.structs.replace(changed, hash=hash_of(changed))
    assert breaks([*entries[:place], changed, *entries[place + 1 :]], head_of(entries))


@settings(max_examples=40)
@given(LOGS, st.data())
def test_an_inserted_entry_is_found(actions: list[tuple[Action, str, dict[str, Detail]]], data: st.DataObject) -> None:
    entries = log_of(actions)
    place = data.draw(st.sampled_from(range(len(entries))))
    before = entries[place - 1].hash if place else FIRST_HASH
    forged = [*entries[:place], seal(place + 1, before, new_entry(Action.USER_CREATE, "mallory"))]
    for entry in entries[place:]:  # the forger makes the numbers fit, but not the hashes that others have noted
        moved = msgspec.structs.replace(entry, number=entry.number + 1, previous_hash=forged[-1].hash)
        forged.append(msgspec.structs.replace(moved, hash=hash_of(moved)))
    assert breaks(forged, head_of(entries))
    assert breaks(forged, head_of(forged), known=head_of(entries))


def test_the_beginning_may_be_deleted_for_its_age_alone() -> None:
    entries = log_of([(Action.USER_LOCK, str(number), {}) for number in range(10)])
    purge: dict[str, Detail] = {"first": 1, "through": 4, "hash": entries[3].hash}
    entries.append(seal(11, entries[-1].hash, new_entry(Action.AUDIT_PURGE, details=purge)))
    assert breaks(entries[4:], head_of(entries)) == []
    assert breaks(entries[5:], head_of(entries)) == [
        "entry 5: it and those before it are missing, and were not deleted for their age"
    ]


def test_a_known_head() -> None:
    entries = log_of([(Action.USER_LOCK, str(number), {}) for number in range(5)])
    assert breaks(entries, head_of(entries), known=head_of(entries[:3])) == []
    assert breaks(entries[:3], head_of(entries[:3]), known=head_of(entries)) == [
        "entry 5: it was known, and is missing"
    ]
    assert Head.parse(str(head_of(entries))) == head_of(entries)
    for wrong in ("", "5", "5:", "x:abc", "-1:abc"):
        with pytest.raises(ValueError):
            Head.parse(wrong)


def test_garbage_in_a_purge_is_a_break_and_no_crash() -> None:
    entries = log_of([(Action.USER_LOCK, "", {})] * 3)
    wrong: dict[str, Detail] = {"through": ["x"], "hash": None}
    entries.append(seal(4, entries[-1].hash, new_entry(Action.AUDIT_PURGE, details=wrong)))
    assert breaks(entries[1:], head_of(entries))


def test_what_is_stored_is_bounded_and_without_secrets() -> None:
    kept = storable_details(
        {"password": "hunter2", "newToken": "abc", "clientSecret": "def", "digits": "1234", "long": "x" * 1000}
        | {f"more{number}": number for number in range(30)}
    )
    assert kept["password"] == kept["newToken"] == kept["clientSecret"] == kept["digits"] == "(hidden)"
    assert len(kept["long"]) == 256 and len(kept) == 16
    assert storable("a\0b\ud800c") == "a\ufffdb\ufffdc"


def test_an_entry_says_who() -> None:
    actor = Actor(ActorKind.USER, "usr_1", "1001", "default", "192.0.2.7")
    entry = new_entry(Action.USER_LOCK, "1002", actor=actor, result=Result.REFUSED)
    assert (entry.actor_kind, entry.actor_id, entry.actor, entry.address) == ("user", "usr_1", "1001", "192.0.2.7")
    assert (entry.action, entry.object, entry.result, entry.tenant) == ("user.lock", "1002", "refused", "default")
