"""A client chooses the id of an old call once more: the old call's record stays as it is."""

from msgspec.structs import replace

from tests.component.cdr.conftest import NOW, Server, an_ended_call
from tests.component.cdr.eventually import recorded, until


async def test_another_call_of_the_same_id_gets_a_row_of_its_own(server: Server) -> None:
    old = an_ended_call("bill.0001", target="601", user="alice")
    server.end(old)
    await recorded(server, ["bill.0001"])
    await server.records.give_feedback("bill.0001", {"stars": 5})
    before = await server.records.get("bill.0001")
    later = an_ended_call("bill.0001", target="600", user="mallory", created_at=NOW + 100, ended_at=NOW + 160)
    for _ in range(2):  # as its end and its release do
        server.end(later)
        await recorded(server, ["bill.0001", "bill.0001~2"])
    third = replace(later, created_at=NOW + 200, ended_at=NOW + 260)
    server.end(third)
    await recorded(server, ["bill.0001", "bill.0001~2", "bill.0001~3"])
    assert await server.records.get("bill.0001") == before
    second = await server.records.get("bill.0001~2")
    assert (second.user, second.target, second.created_at, second.feedback) == ("mallory", "600", NOW + 100, {})


async def test_the_old_call_is_still_written_again(server: Server) -> None:
    old = an_ended_call("bill.0001")
    server.end(old)
    await recorded(server, ["bill.0001"])
    server.end(an_ended_call("bill.0001", created_at=NOW + 100, ended_at=NOW + 160))
    await recorded(server, ["bill.0001", "bill.0001~2"])
    server.end(replace(old, caller_name="later"))

    async def is_later() -> bool:
        return (await server.records.get("bill.0001")).caller_name == "later"

    await until(is_later, "the row was written again")
    assert await server.ids() == {"bill.0001", "bill.0001~2"}


async def test_what_is_missing_is_found_by_call_and_not_by_id(server: Server) -> None:
    server.end(an_ended_call("bill.0001"))
    await recorded(server, ["bill.0001"])
    database = server.records._database
    assert await database.missing([(NOW + 60, "bill.0001"), (NOW + 160, "bill.0001"), (NOW, "other")]) == [
        "bill.0001",
        "other",
    ]
