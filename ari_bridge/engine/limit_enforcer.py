"""Ends calls that have passed a limit, also those that no page holds any more. Looks once a second."""

import asyncio
import time
from collections.abc import Callable

import structlog

from ari_bridge.engine.call_usage import CallUsage
from ari_bridge.engine.leg_limits import CHECK_INTERVAL_S, LegLimits

log = structlog.get_logger(__name__)


async def enforce_limits(usage: CallUsage, limits: LegLimits, hang_up: Callable[[str], None]) -> None:
    """Never ends. `hang_up`: ends the call of an id."""
    while True:
        await asyncio.sleep(CHECK_INTERVAL_S)
        now = time.time()
        usage.add_up(now)
        limits.measure(now)
        for call, why in limits.overdue(now):
            log.warning("a call is ended by its limits", call=call.id, user=call.user or "", reason=why)
            hang_up(call.id)
