"""Many rows, and what is asked about them: the same of SQLite and of PostgreSQL."""

from dataclasses import replace

from msgspec import structs

from ari_bridge.cdr import Cdr, Match, Query
from ari_bridge.cdr.database import Database
from ari_bridge.cursor import Cursor
from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome
from tests.component.cdr.conftest import NOW

OUTCOMES = tuple(Outcome)


def a_record(number: int) -> Cdr:
    """Every tenth is alice's; every 13th was called from 030…; three of them begin at each moment."""
    inbound = number % 2 == 1
    talk = float(number % 100)
    created_at = NOW + number // 3
    return Cdr(
        call_id=f"call{number:07}",
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        caller=f"030{number:07}" if number % 13 == 0 else f"user{number % 50}",
        caller_name="Müller",
        target=f"{number % 1000}",
        user="alice" if number % 10 == 0 else f"user{number % 50}",
        tenant="",
        created_at=created_at,
        ringing_at=None,
        answered_at=created_at if talk else None,
        ended_at=created_at + talk,
        talk_seconds=talk,
        outcome=OUTCOMES[number % len(OUTCOMES)],
        q850=16,
        sip=200,
        cause="Normal Clearing",
        recording=(f"call{number:07}-rec1",) if number % 7 == 0 else (),
    )


async def filled(database: Database, rows: int) -> list[Cdr]:
    records = list(map(a_record, range(rows)))
    for first in range(0, rows, 1000):
        await database.put(records[first : first + 1000])
    return records


async def asked_in_every_way(database: Database) -> None:
    """What comes is what a plain look through all of them gives, newest first."""
    odd = [
        structs.replace(a_record(5000), caller="50%", target="a_b"),
        structs.replace(a_record(5001), caller="Alice\\", target="ALICE"),
    ]
    records = await filled(database, 1200) + odd
    await database.put(odd)
    records.sort(key=lambda record: (record.created_at, record.call_id), reverse=True)

    async def check(query: Query, wanted: list[Cdr]) -> None:
        page = await database.page(query)
        assert page.cdrs == tuple(wanted[: query.limit]), query
        assert (page.next_cursor is None) is (len(wanted) <= query.limit), query

    everything = Query(limit=500)
    await check(everything, records)
    await check(replace(everything, user="alice"), [one for one in records if one.user == "alice"])
    await check(replace(everything, user=""), [])
    for direction in Direction:
        await check(replace(everything, direction=direction), [one for one in records if one.direction is direction])
    for outcome in Outcome:
        await check(replace(everything, outcome=outcome), [one for one in records if one.outcome is outcome])
    for number in ("0300", "99", "user4", "USER4", "%", "_", "\\", "alice", "ä", "'; DROP TABLE cdr; --"):
        told = [(one, one.caller.lower(), one.target.lower()) for one in records]
        low = number.lower()
        await check(replace(everything, number=number), [one for one, *both in told if any(low in it for it in both)])
        await check(
            replace(everything, number=number, match=Match.PREFIX),
            [one for one, *both in told if any(it.startswith(low) for it in both)],
        )
    await check(
        replace(everything, since=NOW + 100, until=NOW + 200),
        [one for one in records if NOW + 100 <= one.created_at < NOW + 200],
    )
    await check(replace(everything, min_seconds=99), [one for one in records if one.talk_seconds >= 99])
    await check(
        Query("alice", Direction.OUTBOUND, Outcome.COMPLETED, "0", since=NOW + 1, min_seconds=1, limit=3),
        [
            one
            for one in records
            if one.user == "alice"
            and one.direction is Direction.OUTBOUND
            and one.outcome is Outcome.COMPLETED
            and ("0" in one.caller or "0" in one.target)
            and one.created_at >= NOW + 1
            and one.talk_seconds >= 1
        ],
    )


async def every_page_comes_once(database: Database) -> None:
    """From cursor to cursor, also where pages end between calls of one moment, and while newer calls come."""
    records = await filled(database, 500)
    seen: list[str] = []
    query = Query(limit=7)
    while True:
        page = await database.page(query)
        seen += [one.call_id for one in page.cdrs]
        if page.next_cursor is None:
            break
        await database.put([a_record(10_000 + len(seen))])
        query = replace(query, cursor=Cursor.parse(page.next_cursor))
    assert seen == sorted((one.call_id for one in records), reverse=True)
