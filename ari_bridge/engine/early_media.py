"""Finds out when the far side of a call that rings is first heard: from rtpengine, which counts what Asterisk sends.

ARI tells of a 183, with SDP or without, and never of the first packet.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from ari_bridge.engine.ports import MediaEngine
from ari_bridge.errors import PeerError
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.events import EarlyMedia, Event
from ari_bridge.ids import leg_id

MIN_INTERVAL_S, MAX_INTERVAL_S, BACKOFF_FACTOR = 0.1, 2.0, 1.5
"""Seconds between two looks, and by how much each pause is longer than the one before. Most calls that ring are not
heard before their answer, and those that are begin with it soon."""

log = structlog.get_logger(__name__)


async def await_early_media(media: MediaEngine, call_now: Callable[[], Call], post: Callable[[Event], None]) -> None:
    """Posts EarlyMedia at the first packet; ends with it, or when the call rings no more (it has its own deadline)."""
    pause = MIN_INTERVAL_S
    while (call := call_now()).state is CallState.RINGING:
        try:
            if await media.far_packets(leg_id(call.id, call.leg)):
                return post(EarlyMedia(time.time()))
        except PeerError as error:
            log.debug("rtpengine does not say whether the far side is heard", call=call.id, reason=str(error))
        await asyncio.sleep(pause)
        pause = min(BACKOFF_FACTOR * pause, MAX_INTERVAL_S)
