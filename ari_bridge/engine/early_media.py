"""Detects early media: polls rtpengine, which counts the RTP packets of Asterisk, while a call rings.

ARI reports a 183, with SDP or without, but not the first packet.
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
"""Between two polls, and by what each interval grows. Most ringing calls have no early media, or have it soon."""

log = structlog.get_logger(__name__)


async def await_early_media(media: MediaEngine, call_now: Callable[[], Call], post: Callable[[Event], None]) -> None:
    """Post EarlyMedia at the first packet, and return; or return when the call does not ring any more."""
    interval = MIN_INTERVAL_S
    while (call := call_now()).state is CallState.RINGING:
        try:
            if call.leg and await media.far_packets(leg_id(call.id, call.leg.number)):
                return post(EarlyMedia(time.time()))
        except PeerError as error:
            log.debug("rtpengine does not say whether there is early media", call=call.id, reason=str(error))
        await asyncio.sleep(interval)
        interval = min(BACKOFF_FACTOR * interval, MAX_INTERVAL_S)
