"""Every ended call gets its row, whatever happens to the database."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from ari_bridge import metrics
from ari_bridge.cdr import CdrUnavailable, Query, from_call, writer
from ari_bridge.cdr.database import Database
from ari_bridge.errors import InvalidRequest, UnknownCall
from ari_bridge.hooks import CallEnded, CallReleased
from ari_bridge.outcomes import Cause, Outcome
from tests.component.call_store.conftest import locked_by_another
from tests.component.cdr.conftest import Server, a_server, an_ended_call, spoil
from tests.component.cdr.eventually import healthy, recorded, unhealthy, until


async def test_a_call_that_has_ended_has_a_row(server: Server) -> None:
    call = an_ended_call("call1", caller_name="Müller ☃", answered_at=1764000010.0, outcome=Outcome.BUSY)
    server.end(call)
    await recorded(server, ["call1"])
    assert await server.records.get("call1") == from_call(call)


async def test_the_file_is_nobody_elses(server: Server, state_dir: Path) -> None:
    server.end(an_ended_call("call1"))
    await recorded(server, ["call1"])
    assert (state_dir / "cdr.sqlite").stat().st_mode & 0o777 == 0o600


async def test_what_the_release_tells_is_written_over_what_the_end_told(server: Server) -> None:
    call = an_ended_call("call1")
    server.hooks.emit(CallEnded(call))
    await recorded(server, ["call1"])
    server.hooks.emit(CallReleased(replace(call, cause=Cause(19, "later", 480))))

    async def is_later() -> bool:
        return (await server.records.get("call1")).cause == "later"

    await until(is_later, "the row is the later one")
    assert await server.ids() == {"call1"}


async def test_feedback_stays_when_the_row_is_written_again(server: Server) -> None:
    call = an_ended_call("call1")
    server.end(call)
    await recorded(server, ["call1"])
    await server.records.give_feedback("call1", {"stars": 4, "text": "☃"})
    server.end(replace(call, caller_name="again"))

    async def is_again() -> bool:
        return (await server.records.get("call1")).caller_name == "again"

    await until(is_again, "the row was written again")
    assert (await server.records.get("call1")).feedback == {"stars": 4, "text": "☃"}


async def test_feedback_that_cannot_be_kept_is_refused(server: Server) -> None:
    server.end(an_ended_call("call1"))
    await recorded(server, ["call1"])
    with pytest.raises(UnknownCall):
        await server.records.give_feedback("call2", {})
    with pytest.raises(InvalidRequest, match="larger than"):
        await server.records.give_feedback("call1", {"text": "x" * 5000})


async def test_what_ended_before_the_start_gets_its_row(state_dir: Path) -> None:
    """As after a kill, or with records switched on later."""
    ids = [f"call{number}" for number in range(writer.BATCH_ROWS * 2 + 1)]
    async with a_server(state_dir, started=False) as server:
        for call_id in ids:
            server.store.save(an_ended_call(call_id))
    async with a_server(state_dir) as server:
        await recorded(server, ids)


async def test_what_the_queue_has_no_room_for_gets_its_row(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_QUEUED_ROWS", 5)
    ids = [f"call{number}" for number in range(300)]
    for call_id in ids:
        server.end(an_ended_call(call_id))
    await recorded(server, ids)
    assert server.records.healthy


async def test_what_waits_at_the_end_is_written(state_dir: Path) -> None:
    async with a_server(state_dir) as server:
        server.end(an_ended_call("first"))
        await recorded(server, ["first"])
        server.end(an_ended_call("last"))
    with closing(sqlite3.connect(state_dir / "cdr.sqlite")) as file:
        assert file.execute("SELECT count(*) FROM cdr").fetchone() == (2,)


async def test_a_file_that_another_program_has_locked_is_written_later(server: Server, state_dir: Path) -> None:
    server.end(an_ended_call("before"))
    await recorded(server, ["before"])
    with locked_by_another(state_dir / "cdr.sqlite"):
        server.end(an_ended_call("during"))
        await unhealthy(server)
        assert "locked" in server.records.reason
        assert metrics.REGISTRY.get_sample_value("cdr_healthy") == 0
        assert metrics.REGISTRY.get_sample_value("cdr_pending") == 1
        assert await server.row("before"), "it can be read meanwhile"
    await healthy(server)
    await recorded(server, ["during"])
    assert server.records.reason == ""
    assert metrics.REGISTRY.get_sample_value("cdr_healthy") == 1


async def test_a_file_that_was_deleted_is_made_anew_with_all_that_is_known(server: Server, state_dir: Path) -> None:
    server.end(an_ended_call("before"))
    await recorded(server, ["before"])
    for part in ("cdr.sqlite", "cdr.sqlite-wal", "cdr.sqlite-shm"):
        (state_dir / part).unlink()
    server.end(an_ended_call("after"))
    await recorded(server, ["before", "after"])
    await healthy(server)


async def test_a_corrupt_file_is_told_and_left_alone(state_dir: Path) -> None:
    file = state_dir / "cdr.sqlite"
    spoil(file)
    async with a_server(state_dir) as server:
        server.end(an_ended_call("call1"))
        await unhealthy(server)
        assert "not a database" in server.records.reason and str(file) in server.records.reason
        with pytest.raises(CdrUnavailable, match="not a database"):
            await server.records.page(Query())
        file.rename(file.with_suffix(".aside"))
        await recorded(server, ["call1"])
    assert file.with_suffix(".aside").read_bytes().startswith(b"no database")


async def test_a_file_of_a_newer_version_is_told_and_left_alone(state_dir: Path) -> None:
    async with a_server(state_dir) as server:
        server.end(an_ended_call("call1"))
        await recorded(server, ["call1"])
    with closing(sqlite3.connect(state_dir / "cdr.sqlite")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    async with a_server(state_dir) as server:
        await unhealthy(server)
        assert "a newer version of this program" in server.records.reason


async def test_a_row_that_is_refused_keeps_no_other_back(server: Server) -> None:
    before = metrics.REGISTRY.get_sample_value("cdr_rejected_total") or 0
    server.end(an_ended_call("good1"))
    server.hooks.emit(CallEnded(an_ended_call("bad_one", cause=Cause(2**70))))
    server.end(an_ended_call("good2"))
    await recorded(server, ["good1", "good2"])
    assert server.records.healthy
    assert metrics.REGISTRY.get_sample_value("cdr_rejected_total") == before + 1
    assert await server.row("bad_one") is None


async def test_old_rows_are_deleted_and_do_not_come_back(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day, now = 86400, time.time()
    old = [
        an_ended_call(f"old{number}", created_at=now - 8 * day, ended_at=now - 8 * day + 1) for number in range(1200)
    ]
    kept = an_ended_call("kept", created_at=now - 6 * day, ended_at=now - 6 * day + 1)
    async with a_server(state_dir) as server:
        for call in (*old, kept):
            server.end(call)
        await recorded(server, ["old0", "old1199", "kept"])
    monkeypatch.setattr(writer, "FIRST_MAINTENANCE_S", 0.0)
    async with a_server(state_dir, days=7) as server:

        async def only_kept() -> bool:
            return await server.ids() == {"kept"}

        await until(only_kept, "the old rows are gone")
        server.end(an_ended_call("newer", created_at=now, ended_at=now))
        await recorded(server, ["newer"])
        assert await server.ids() == {"kept", "newer"}


async def test_two_that_make_the_tables_at_once_do_not_hinder_each_other(tmp_path: Path) -> None:
    databases = [Database("", tmp_path / "cdr.sqlite") for _ in range(4)]

    async def open_in_time(database: Database) -> None:
        while True:
            try:
                return await database.open()
            except CdrUnavailable:
                await asyncio.sleep(0.01)

    async with asyncio.timeout(20):
        await asyncio.gather(*map(open_in_time, databases))
    await databases[0].put([from_call(an_ended_call("call1"))])
    assert await databases[3].get("call1")
    for database in databases:
        await database.close()
