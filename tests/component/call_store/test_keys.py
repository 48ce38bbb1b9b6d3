"""Keys of requests in the call store: kept over a death, for a day, and only so many."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
import structlog

from ari_bridge.call_store import Key, StoredResponse, database_handle, idempotency_keys
from ari_bridge.errors import TooMany, Unavailable
from tests.component.call_store.conftest import a_call, locked_by_another
from tests.component.conftest import until

KEY = Key("alice", "k1", "print", "call", time.time())
ANSWERED = Key("alice", "k1", "print", "call", KEY.kept_at, StoredResponse(201, '{"sdp": "v=0…"}'))


def rows(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        count: int = connection.execute("SELECT count(*) FROM keys").fetchone()[0]
    connection.close()
    return count


async def test_a_key_and_its_answer_outlive_the_process(opened: Any) -> None:
    store = await opened()
    store.keys.put(KEY)
    store = await opened()
    assert store.keys.get("alice", "k1") == KEY
    store.keys.put(ANSWERED)
    store = await opened()
    assert store.keys.get("alice", "k1") == ANSWERED


async def test_each_user_has_keys_of_their_own(opened: Any) -> None:
    store = await opened()
    store.keys.put(KEY)
    assert store.keys.get("bob", "k1") is None
    assert store.keys.get("", "k1") is None
    store.keys.drop(KEY)
    assert store.keys.get("alice", "k1") is None


async def test_a_key_whose_time_is_over_is_new_and_makes_room(opened: Any) -> None:
    store = await opened()
    for number in range(5):
        store.keys.put(
            Key("alice", f"old{number}", "print", "call", time.time() - idempotency_keys.KEY_RETENTION_S - 1)
        )
    assert store.keys.get("alice", "old1") is None
    store.keys.put(KEY)
    assert rows(store.path) == 1


async def test_a_key_is_kept_no_longer_than_its_call(opened: Any) -> None:
    store = await opened(days=0.001)
    store.keys.put(Key("alice", "k1", "print", "call", time.time() - 87))
    assert store.keys.get("alice", "k1") is None


async def test_of_more_keys_than_are_kept_the_newest_is_refused_and_none_forgotten(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency_keys, "MAX_KEYS", 30)
    store = await opened()
    for number in range(3):
        store.keys.put(Key("alice", f"k{number}", "print", "call", time.time()))
    with pytest.raises(TooMany, match="This user has"):
        store.keys.put(Key("alice", "k3", "print", "call", time.time()))
    store.keys.put(Key("alice", "k2", "print", "call", time.time(), StoredResponse(201, "{}")))  # it is there already
    for number in range(27):
        store.keys.put(Key(f"user{number}", "k", "print", "call", time.time()))
    with pytest.raises(TooMany, match="30 Idempotency-Keys are stored"):
        store.keys.put(Key("bob", "k", "print", "call", time.time()))
    assert rows(store.path) == 30


async def test_where_it_cannot_be_written_the_asker_is_refused_until_it_can(opened: Any) -> None:
    store = await opened()
    with structlog.testing.capture_logs(), locked_by_another(store.path):
        with pytest.raises(Unavailable, match="Idempotency-Key cannot be stored"):
            store.keys.put(KEY)
        assert not store.healthy
        with pytest.raises(Unavailable):
            store.keys.get("alice", "k1")
    await until(lambda: store.healthy)
    store.keys.put(KEY)
    assert store.keys.get("alice", "k1") == KEY


async def test_keys_are_taken_over_from_a_file_that_is_corrupt(opened: Any) -> None:
    store = await opened()
    for number in range(200):
        store.keys.put(
            Key("alice", f"k{number}", "print", f"call{number}", time.time(), StoredResponse(201, "x" * 500))
        )
        store.save(a_call(f"call{number}"))
    await store.close()
    data = store.path.read_bytes()
    with sqlite3.connect(store.path) as connection:  # the calls' own pages alone
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls'").fetchone()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    store.path.write_bytes(data[: (page - 1) * size] + b"\xff" * size + data[page * size :])
    with structlog.testing.capture_logs():
        store = await opened()
        await until(lambda: store.healthy)
    assert list(store.path.parent.glob(f"{database_handle.FILE}.corrupt-*"))
    assert store.keys.get("alice", "k7") is not None


async def test_an_older_file_gets_the_table(opened: Any) -> None:
    store = await opened()
    store.save(a_call("call"))
    await store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute("DROP TABLE keys")
        connection.execute("DROP INDEX calls_by_begin")
    connection.close()
    store = await opened()
    store.keys.put(KEY)
    assert store.get("call") and store.keys.get("alice", "k1") == KEY


def test_keys_that_cannot_all_be_restored_leave_no_transaction_open() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in idempotency_keys.CREATE:
        connection.execute(statement)
    with pytest.raises(UnicodeEncodeError):
        idempotency_keys.restore(connection, [Key("\ud800", "k2", "print", "call", time.time()), KEY])
    assert not connection.in_transaction  # else what is written next would never be committed
    assert idempotency_keys.newest(connection, 10) == []
    connection.close()
