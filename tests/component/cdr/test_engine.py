"""Whole calls through the engine, and what their records say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ari_bridge.cdr import Cdr, CdrService, writer
from ari_bridge.engine.limits import Limits
from ari_bridge.errors import UnknownCall
from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome
from tests.component.cdr.eventually import until
from tests.component.conftest import Engine, an_engine
from tests.component.conftest import until as until_now
from tests.component.engine.test_calls import arrive, gone, place
from tests.fakes.ari import BUSY, FakeAri
from tests.fakes.rtpengine import FakeRtpengine


@asynccontextmanager
async def records_of(engine: Engine, tmp_path: Path) -> AsyncIterator[CdrService]:
    records = CdrService(engine.calls._store, engine.hooks, state_dir=tmp_path)
    await records.start()
    try:
        yield records
    finally:
        await records.close()


@pytest.fixture
async def records(engine: Engine, tmp_path: Path) -> AsyncIterator[CdrService]:
    async with records_of(engine, tmp_path) as records:
        yield records


async def row(records: CdrService, call_id: str) -> Cdr:
    async def is_there() -> bool:
        try:
            return bool(await records.get(call_id))
        except UnknownCall:
            return False

    await until(is_there, "the call has its row")
    return await records.get(call_id)


async def test_a_call_that_was_answered(engine: Engine, records: CdrService) -> None:
    call = place(engine, user="alice")
    await until_now(lambda: engine.states()[-1:] == ["accepted"], "accepted")
    engine.calls.hangup(call.id)
    record = await row(records, call.id)
    ended = await gone(engine, call.id)
    assert (record.direction, record.caller, record.target, record.user) == (
        Direction.OUTBOUND,
        "1001",
        "600",
        "alice",
    )
    assert (record.outcome, record.answered_at, record.ended_at) == (
        Outcome.COMPLETED,
        ended.answered_at,
        ended.ended_at,
    )


async def test_a_call_that_was_busy(engine: Engine, records: CdrService) -> None:
    record = await row(records, place(engine, BUSY).id)
    assert (record.outcome, record.q850, record.sip, record.talk_seconds) == (Outcome.BUSY, 17, 486, 0.0)


async def test_a_call_that_was_declined_is_its_users(engine: Engine, records: CdrService) -> None:
    call = await arrive(engine, {"100"})
    engine.calls.decline(call.id, user="100")
    record = await row(records, call.id)
    assert (record.direction, record.outcome, record.user) == (Direction.INBOUND, Outcome.REJECTED, "100")


async def test_a_call_that_ended_while_no_process_ran(
    fake_ari: FakeAri,
    fake_rtpengine: FakeRtpengine,
    limits: Limits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No hook tells of it: it is found by comparing."""
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as first:
        call = place(first)
        await until_now(lambda: first.states()[-1:] == ["accepted"], "accepted")
    fake_ari.channels.clear()
    fake_ari.bridges.clear()
    fake_rtpengine.sessions.clear()
    monkeypatch.setattr(writer, "FIRST_MAINTENANCE_S", 0.5)
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as second, records_of(second, tmp_path) as records:
        await row(records, call.id)
        await gone(second, call.id)
