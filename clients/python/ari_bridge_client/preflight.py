"""A call to an echo before the first real one: does a call come to stand, and is one heard?"""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ari_bridge_client.errors import ClientError
from ari_bridge_client.media import MediaStats

if TYPE_CHECKING:
    from ari_bridge_client.client import Client

TONE = 1000.0  # Hz
HEARD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Preflight:
    """`ok`: the echo gave our tone back. `reason`: what is wrong, one sentence; "" where all is well."""

    ok: bool
    reason: str
    number: str
    set_up_seconds: float = 0.0  # from the call to its answer
    stats: MediaStats = MediaStats()


async def run(client: "Client", seconds: float) -> Preflight:
    """`seconds`: how long to measure once the tone is heard. Raises ClientError where no call can be made at all."""

    from ari_bridge_client.audio import Tone, ToneNotHeard

    number = (await client.http.config()).preflight_number
    if not number:
        return Preflight(False, "The server is not set to a number for this.", number)
    began = time.monotonic()
    call = await client.call(number, Tone(TONE))
    try:
        await call.wait("accepted", 20.0)
        set_up = time.monotonic() - began
        await call.heard.wait_for_tone(TONE, HEARD_SECONDS)
        await asyncio.sleep(seconds)
        return Preflight(True, "", number, set_up, await call.get_stats())
    except (ClientError, ToneNotHeard) as error:
        return Preflight(False, str(error), number, time.monotonic() - began, await call.get_stats())
    finally:
        await call.hangup()
