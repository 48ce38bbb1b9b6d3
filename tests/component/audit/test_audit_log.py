"""The audit log in a SQLite file: written, read, purged, damaged, and with no room."""

import asyncio
import stat
import time
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from structlog.testing import capture_logs

from ari_bridge import metrics
from ari_bridge.audit import (
    Action,
    Actor,
    ActorKind,
    AuditLog,
    AuditQuery,
    AuditUnavailable,
    Result,
    acting,
    audit_log,
    schema,
)
from ari_bridge.audit.database import _MIGRATIONS
from tests.component.audit.conftest import a_log, entries_of, killed_writers, until
from tests.component.call_store.test_disk_full import fill
from tests.component.call_store.test_disk_full import small_disk as small_disk


def change(folder: Path, statement: str) -> None:
    """As somebody does who can write the file."""
    database = sa.create_engine(f"sqlite:///{folder / 'audit.db'}")
    with database.begin() as connection:
        connection.execute(sa.text(statement))
    database.dispose()


async def broken(log: AuditLog) -> list[str]:
    _, breaks = await log.verify()
    return list(map(str, breaks))


def test_the_migrations_make_the_tables_that_the_code_reads(tmp_path: Path) -> None:
    database = sa.create_engine(f"sqlite:///{tmp_path / 'audit.db'}")
    with database.begin() as connection:
        _MIGRATIONS.run(connection)
        assert _MIGRATIONS.are_done(connection)
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
    database.dispose()


async def test_what_is_recorded_is_there(tmp_path: Path) -> None:
    admin = Actor(ActorKind.USER, "usr_1", "1001", "default", "192.0.2.7")
    async with a_log(tmp_path) as log:
        with structlog.contextvars.bound_contextvars(request_id="req-1"), acting(admin):
            log.record(Action.FORWARD_CHANGE, "1001", field="forwardAlways", old="", new="+49301234567")
        log.record(Action.DIAL_DENY, "0900123", result=Result.REFUSED, rule="deny premium", number=1.5)
        begin, started, forward, denied = await entries_of(log)
        assert await broken(log) == []
    assert begin.action == Action.AUDIT_BEGIN and started.details == {"settings": [], "before": "unknown"}
    assert (forward.actor, forward.address, forward.request_id) == ("1001", "192.0.2.7", "req-1")
    assert forward.details == {"field": "forwardAlways", "old": "", "new": "+49301234567"}
    assert (denied.actor_kind, denied.result, denied.details["number"]) == ("system", "refused", 1.5)
    assert stat.S_IMODE((tmp_path / "audit.db").stat().st_mode) == 0o600


async def test_it_is_asked_by_every_filter_and_in_pages(tmp_path: Path) -> None:
    async with a_log(tmp_path) as log:
        for number in range(25):
            log.record(Action.USER_LOCK, str(number % 2), actor=Actor(ActorKind.USER, f"usr_{number}", f"u{number}"))
        seen: list[int] = []
        before: int | None = None
        for _ in range(4):
            page = await log.page(AuditQuery(action=Action.USER_LOCK, before=before, limit=10))
            seen += [entry.number for entry in page.entries]
            before = seen[-1]
        assert seen == sorted(seen, reverse=True) and len(seen) == 25 and page.next_cursor is None
        for query, count in (
            (AuditQuery(object="1", limit=500), 12),
            (AuditQuery(actor="u7"), 1),
            (AuditQuery(actor="usr_7"), 1),
            (AuditQuery(result=Result.FAILED), 0),
            (AuditQuery(since=time.time() + 60), 0),
            (AuditQuery(until=time.time() - 60), 0),
        ):
            assert len((await log.page(query)).entries) == count, query


async def test_every_damage_is_found(tmp_path: Path) -> None:
    async with a_log(tmp_path) as log:
        for number in range(10):
            log.record(Action.USER_LOCK, str(number))
        await log.flush()
        change(tmp_path, "UPDATE audit SET object = 'x' WHERE number = 5")
        assert await broken(log) == ["entry 5: it was changed"]
        change(tmp_path, "UPDATE audit SET details = '{' WHERE number = 4")
        change(tmp_path, "UPDATE audit SET result = 'great' WHERE number = 6")
        assert len(await broken(log)) == 3
        change(tmp_path, "DELETE FROM audit WHERE number IN (7, 8)")
        assert "entry 7: 2 missing" in await broken(log)
        change(tmp_path, "DELETE FROM audit WHERE number < 7")
        assert "entry 8: it and those before it are missing, and were not deleted for their age" in await broken(log)
        change(tmp_path, "DELETE FROM audit WHERE number = 12")
        assert "entry 12: the log ends before it, and 12 was the last one" in await broken(log)
        log.record(Action.USER_LOCK, "later")  # what follows does not hide it
        assert "entry 12: it is missing" in await broken(log)


async def test_old_entries_go_and_the_chain_holds(tmp_path: Path) -> None:
    async with a_log(tmp_path) as log:
        for number in range(10):
            log.record(Action.USER_LOCK, str(number))
    await asyncio.sleep(0.01)  # the entries' times are in milliseconds
    async with a_log(tmp_path, days=1e-9) as log:
        log.record(Action.USER_UNLOCK, "1")
        await log.flush()
        await until(lambda: log._purge_at > 0)
        kept = await entries_of(log)
        assert await broken(log) == []
        purged = [entry for entry in kept if entry.action == Action.AUDIT_PURGE]
        assert purged[-1].details["through"] == kept[0].number - 1 >= 12
        change(tmp_path, f"DELETE FROM audit WHERE number = {kept[0].number}")
        assert await broken(log)


async def test_several_processes_write_one_chain_and_a_kill_loses_nothing_that_was_written(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        said += killed_writers(tmp_path, ["a", "b", "c"])
    log = AuditLog(tmp_path)
    chain, breaks = await log.verify()
    assert breaks == []
    written: list[str] = []
    before: int | None = None
    while True:
        page = await log.page(AuditQuery(before=before, limit=500))
        written += [entry.object for entry in page.entries if entry.action == Action.USER_LOCK]
        if page.next_cursor is None:
            break
        before = page.entries[-1].number
    starts = [entry.details["before"] for entry in await entries_of(log, Action.SERVER_START)]
    await log.close()
    assert sorted(set(said)) == sorted(set(said) & set(written))
    assert starts.count("unknown") == 3 and starts.count("killed") == 3


async def test_a_full_disk_loses_nothing_and_then_counts(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "MAX_QUEUED", 50)
    monkeypatch.setattr(audit_log, "MAX_RETRY_S", 0.5)
    lost = metrics.AUDIT_LOST._value.get()
    async with a_log(small_disk) as log:
        log.record(Action.USER_LOCK, "before")
        await log.flush()
        filler = fill(small_disk)
        with capture_logs() as logged:
            for number in range(400):
                log.record(Action.USER_LOCK, f"during {number}", text="x" * 256)
                await asyncio.sleep(0)
                if not log.health.healthy and len(log._queue) == 50:
                    break
                if number % 10 == 9:
                    await asyncio.sleep(0.05)
            await until(lambda: not log.health.healthy)
            for number in range(60):
                log.record(Action.USER_UNLOCK, f"more {number}")
        assert metrics.AUDIT_HEALTHY._value.get() == 0
        gone = int(metrics.AUDIT_LOST._value.get() - lost)
        assert gone > 0
        assert sum(one["event"] == "an audit entry is lost" for one in logged) == gone
        filler.unlink()
        await until(lambda: log.health.healthy)
        [told] = await entries_of(log, Action.AUDIT_LOST)
        assert told.details["count"] == gone
        assert await broken(log) == []
        kept = len(await entries_of(log, Action.USER_UNLOCK))
        assert kept + gone >= 60


async def test_a_database_that_was_deleted_is_begun_anew(tmp_path: Path) -> None:
    async with a_log(tmp_path) as log:
        log.record(Action.USER_LOCK, "before")
        await log.flush()
        for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        log.record(Action.USER_LOCK, "after")
        with suppress(AuditUnavailable):  # unless the log itself was first
            await log.flush()
        entries = await entries_of(log)
        assert [entry.object for entry in entries if entry.action == Action.USER_LOCK] == ["after"]
        assert entries[0].action == Action.AUDIT_BEGIN


async def test_how_the_process_before_ended(tmp_path: Path) -> None:
    async with a_log(tmp_path):
        pass
    async with a_log(tmp_path) as log:
        starts = await entries_of(log, Action.SERVER_START)
    assert [entry.details["before"] for entry in starts] == ["unknown", "stopped"]


async def test_a_request_that_is_broken_off_doubles_no_entry(tmp_path: Path) -> None:
    async with a_log(tmp_path) as log:
        await log.flush()
        for number in range(20):
            log.record(Action.USER_LOCK, str(number))
            asked = asyncio.create_task(log.page(AuditQuery()))
            await asyncio.sleep(0.001 * (number % 5))
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        locked = await entries_of(log, Action.USER_LOCK)
        assert [entry.object for entry in locked] == [str(number) for number in range(20)]
        assert await broken(log) == []
