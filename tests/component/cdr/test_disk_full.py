"""No room for the rows: calls go on, and every one of them gets its row later."""

from pathlib import Path

from tests.component.call_store.test_disk_full import fill
from tests.component.call_store.test_disk_full import small_disk as small_disk
from tests.component.cdr.conftest import a_server, an_ended_call
from tests.component.cdr.eventually import healthy, recorded, unhealthy


async def test_a_full_disk_loses_no_row(small_disk: Path, tmp_path: Path) -> None:
    async with a_server(tmp_path / "state", records_dir=small_disk) as server:
        server.end(an_ended_call("before"))
        await recorded(server, ["before"])
        filler = fill(small_disk)
        ids = [f"during{number}" for number in range(400)]
        for call_id in ids:
            server.end(an_ended_call(call_id, caller_name="x" * 1000))
        await unhealthy(server)
        assert "full" in server.records.reason
        filler.unlink()
        await healthy(server)
        await recorded(server, ids)


async def test_where_the_disk_is_full_from_the_start(small_disk: Path, tmp_path: Path) -> None:
    filler = fill(small_disk)
    async with a_server(tmp_path / "state", records_dir=small_disk) as server:
        server.end(an_ended_call("call1"))
        await unhealthy(server)
        filler.unlink()
        await recorded(server, ["call1"])
