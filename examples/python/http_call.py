"""A call over HTTP alone: placed once whatever happens, followed by polls that wait for a change.

python examples/python/http_call.py [SERVER] [NUMBER]
"""

import asyncio
import sys

from ari_bridge_client import ClientError, HttpClient, Tone, ToneNotHeard
from ari_bridge_client.aiortc_media import AiortcMedia


async def main(server: str = "http://127.0.0.1:3000", number: str = "600") -> int:
    media = AiortcMedia(Tone(700))
    try:
        async with HttpClient(server) as http:
            # A key that is the same after a restart of this program would place no second call.
            invited = await http.invite(number, await media.create_offer([]), idempotency_key=f"example {id(media)}")
            await media.set_answer(invited.sdp)
            async for call in http.watch_call(invited.call_id, wait=30):  # GET /call/ID?wait=30, again and again
                print("state:", call.state)
                if call.state == "accepted":
                    print("heard:", await media.received_audio.wait_for_tone(700))
                    await http.hangup(call.call_id)
            print("outcome:", call.outcome.value if call.outcome else "unknown")
    except (ClientError, ToneNotHeard) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        await media.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
