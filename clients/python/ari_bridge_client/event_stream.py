"""`/events` over as many connections as it takes."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec

from ari_bridge_client.errors import ClientError, ConnectionFailed, Problem
from ari_bridge_client.http_transport import Requests, asks_again
from ari_bridge_client.models import ServerEvent
from ari_bridge_client.retry import backoff, wait_after
from ari_bridge_client.sse import NoEventStream, Parser

SILENT_SECONDS = 40.0
"""The server writes something every 15."""


async def events(requests: Requests, last_id: int | None) -> AsyncIterator[ServerEvent]:
    """For ever. Raises Problem where the server will not have us, ConnectionFailed where it sends no events."""
    pauses, retry, signs_in = backoff(), 0.0, True
    while True:
        headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
        error: Problem | ConnectionFailed
        await requests.tokens.keep()
        token = requests.tokens.token
        try:
            parser = Parser()
            async with requests.stream("GET", "/events", headers=headers) as response:
                pauses, signs_in = backoff(), True
                while data := await asyncio.wait_for(response.content.readany(), SILENT_SECONDS):
                    for block in parser.feed(data):
                        event = msgspec.json.decode(block.data, type=ServerEvent)
                        last_id = event.id
                        yield event
                    await requests.tokens.keep()  # for the next connection: this one stays as it is
                    retry = parser.retry if parser.retry is not None else retry
            error = ConnectionFailed(requests.base, "the stream ended")
        except (NoEventStream, msgspec.MsgspecError) as fault:
            raise ConnectionFailed(requests.base, f"no events are sent there: {fault}") from fault
        except Problem as refusal:
            if refusal.status == 401 and signs_in and await _signed_in_again(requests, token):
                signs_in = False
                continue
            if not asks_again(refusal):
                raise
            error = refusal
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            error = ConnectionFailed(requests.base, str(fault))
        await asyncio.sleep(wait_after(error, max(next(pauses), retry)))


async def _signed_in_again(requests: Requests, token: str | None) -> bool:
    try:
        return await requests.tokens.again(token)
    except ClientError:
        return False
