"""Waiting for rows, which come some time after the end of their calls."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from ari_bridge.cdr import CdrUnavailable
from tests.component.cdr.conftest import Server

QUERY_TIMEOUT_S = 20.0


async def until(condition: Callable[[], Awaitable[object]], what: str) -> None:
    """Fails after QUERY_TIMEOUT_S. A database that is away is not there yet."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT_S):
            while True:
                try:
                    if await condition():
                        return
                except CdrUnavailable:
                    pass
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"did not come true: {what}") from None


async def recorded(server: Server, call_ids: Iterable[str]) -> None:
    """Each of these calls has its row."""
    missing = set(call_ids)

    async def none_lacks() -> bool:
        for call_id in list(missing):
            if await server.row(call_id):
                missing.discard(call_id)
        return not missing

    try:
        await until(none_lacks, "every call has its row")
    except AssertionError:
        raise AssertionError(f"{len(missing)} calls have no row, as {min(missing)}") from None


async def healthy(server: Server) -> None:
    async def is_healthy() -> bool:
        return server.records.healthy

    await until(is_healthy, "records are written")


async def unhealthy(server: Server) -> None:
    async def is_unhealthy() -> bool:
        return not server.records.healthy

    await until(is_unhealthy, "records cannot be written")
