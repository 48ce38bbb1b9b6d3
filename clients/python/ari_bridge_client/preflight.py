"""A call to an echo before the first real one: can a call be set up, and does its sound arrive?"""

import asyncio
import time
from dataclasses import dataclass

from ari_bridge_client.client import Client
from ari_bridge_client.errors import ClientError
from ari_bridge_client.media import MediaStats

TONE_HZ = 1000.0
TONE_TIMEOUT_S = 5.0
ACCEPT_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """What the call has shown.

    Attributes:
        ok: The echo returned our tone.
        reason: What is wrong, in one sentence; "" if nothing is.
        number: The echo's number.
        setup_seconds: From the call to its answer.
        stats: The media of the call.
    """

    ok: bool
    reason: str
    number: str
    setup_seconds: float = 0.0
    stats: MediaStats = MediaStats()


async def run_preflight(client: Client, seconds: float = 3.0) -> PreflightResult:
    """Call the server's echo, and measure how it sounds.

    Args:
        client: A connected client.
        seconds: How long to measure, once the tone is heard.

    Raises ClientError if no call can be made at all, MediaMissing.
    """
    # Here, not above: sound is an extra.
    from ari_bridge_client.audio import Tone, ToneNotHeard

    number = (await client.http.get_config()).preflight_number
    if not number:
        return PreflightResult(False, "The server has no number for this.", number)
    began = time.monotonic()
    call = await client.call(number, Tone(TONE_HZ))
    try:
        await call.wait_for("accepted", ACCEPT_TIMEOUT_S)
        setup = time.monotonic() - began
        await call.received_audio.wait_for_tone(TONE_HZ, TONE_TIMEOUT_S)
        await asyncio.sleep(seconds)
        return PreflightResult(True, "", number, setup, await call.get_stats())
    except (ClientError, ToneNotHeard) as error:
        return PreflightResult(False, str(error), number, time.monotonic() - began, await call.get_stats())
    finally:
        await call.hangup()
