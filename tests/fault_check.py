"""Does a call outlive a fault? Tried without a browser: `python -m tests.fault_check COMMAND`.

A headless phone calls 601, hears its tone, runs the command, listens on, and hangs up at the end, by whatever front end
is there then. Exit status 0: the call was kept, and the tone was heard to the end.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

import numpy as np

from ari_bridge_client import Call, Client, ClientError
from ari_bridge_client.audio import Samples, ToneNotHeard
from deploy.demo.steps import say

NUMBER, TONE = "601", 1004.0  # Milliwatt, Hz
LOUD = 1000  # of 32768: the tone has 8000, comfort noise next to nothing
NOW = 0.5  # seconds: sound that is older is of before
CONTROL_SECONDS = 15.0  # within which a hang-up must work
FAULT_SECONDS = 60.0  # the longest that the command may take


class Ear:
    """Remembers the longest time without a sound."""

    def __init__(self) -> None:
        self.longest = 0.0  # seconds
        self.last = time.monotonic()  # when something was heard

    def hear(self, samples: Samples, rate: int) -> None:
        if len(samples) and int(np.abs(samples).max()) > LOUD:
            now = time.monotonic()
            self.longest = max(self.longest, now - self.last)
            self.last = now

    def silent_for(self) -> float:
        """Seconds since something was heard."""
        return time.monotonic() - self.last


async def outlives(url: str, command: str, seconds: float) -> bool:
    """Runs `command` during a call at the server `url`, and listens for `seconds` after it. Says what happens."""
    async with Client(url) as phone:
        call = await phone.call(NUMBER)
        await call.wait_for("accepted", 10)
        await call.received_audio.wait_for_tone(TONE, 10)
        ear = Ear()
        call.received_audio.on_frame(ear.hear)
        process = await asyncio.create_subprocess_shell(command)
        async with asyncio.timeout(FAULT_SECONDS):
            if status := await process.wait():
                say(f"✗ the command ended with status {status}")
                return False
        await asyncio.sleep(seconds)
        if call.ended:
            say(f"✗ the call is gone: {call}")
            return False
        silent = ear.silent_for()
        if silent > NOW:
            say(f"✗ nothing is heard any more, for {silent:.1f} s")
            return False
        await call.received_audio.wait_for_tone(TONE, 5)
        took = await _hang_up(call)
        say(f"✓ the call was kept: longest silence {ear.longest * 1000:.0f} ms, hung up in {took * 1000:.0f} ms")
        return True


async def _hang_up(call: Call) -> float:
    """Hangs up as soon as there is somebody to tell; the seconds it took. Raises ClientError after CONTROL_SECONDS."""
    began = time.monotonic()
    while True:
        try:
            await call.hangup()
            return time.monotonic() - began
        except ClientError:
            if time.monotonic() - began > CONTROL_SECONDS:
                raise
        await asyncio.sleep(0.1)


def main() -> int:
    """1 where the call did not outlive the command."""
    parser = argparse.ArgumentParser(description="Does a call outlive a command?")
    parser.add_argument("command", help="what to do during the call, for the shell")
    parser.add_argument("--url", default="ws://127.0.0.1:3000/ws", help="the server's WebSocket")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to listen after it")
    options = parser.parse_args()
    try:
        return 0 if asyncio.run(outlives(options.url, options.command, options.seconds)) else 1
    except (ClientError, ToneNotHeard, OSError, TimeoutError) as error:
        say(f"✗ {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
