"""A call with sound: say something to an echo, and hear it come back.

python examples/python/echo_call.py [SERVER] [NUMBER]
"""

import asyncio
import sys

from ari_bridge_client import Client, ClientError, Tone, ToneNotHeard


async def main(server: str = "http://127.0.0.1:3000", number: str = "600") -> int:
    try:
        async with Client(server) as client:
            call = await client.call(number, Tone(700))
            await call.wait_for("accepted", timeout=30)
            print("heard:", await call.received_audio.wait_for_tone(700))
            print("media:", await call.get_stats())
            await call.hangup()
            print(call)
    except (ClientError, ToneNotHeard) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
