"""Reads `/events`, over as many connections as that takes."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec

from ari_bridge_client.api_models import EventData
from ari_bridge_client.errors import ClientError, ConnectionFailed, Problem
from ari_bridge_client.http_transport import HttpTransport, is_retryable
from ari_bridge_client.retry import backoff, wait_after
from ari_bridge_client.sse import NoEventStream, SseParser

READ_TIMEOUT_S = 40.0
"""The server sends something every 15."""


async def events(transport: HttpTransport, last_id: int | None) -> AsyncIterator[EventData]:
    """The events, without end.

    Args:
        transport: The connection pool.
        last_id: Begin after this event. None: with the next one.

    Raises Problem if the server refuses, ConnectionFailed if what it sends is no event stream.
    """
    pauses, retry, signs_in = backoff(), 0.0, True
    while True:
        headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
        error: Problem | ConnectionFailed
        await transport.tokens.renew_if_due()
        token = transport.tokens.token
        try:
            parser = SseParser()
            async with transport.stream("GET", "/events", headers=headers) as response:
                pauses, signs_in = backoff(), True
                while data := await asyncio.wait_for(response.content.readany(), READ_TIMEOUT_S):
                    for sent in parser.feed(data):
                        event = msgspec.json.decode(sent.data, type=EventData)
                        last_id = event.id
                        yield event
                    await transport.tokens.renew_if_due()  # for the next connection: this one stays as it is
                    retry = parser.retry if parser.retry is not None else retry
            error = ConnectionFailed(transport.base, "the stream ended")
        except (NoEventStream, msgspec.MsgspecError) as fault:
            raise ConnectionFailed(transport.base, f"it sends no event stream: {fault}") from fault
        except Problem as refusal:
            if refusal.status == 401 and signs_in and await _replace_token(transport, token):
                signs_in = False
                continue
            if not is_retryable(refusal):
                raise
            error = refusal
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            error = ConnectionFailed(transport.base, str(fault))
        await asyncio.sleep(wait_after(error, max(next(pauses), retry)))


async def _replace_token(transport: HttpTransport, token: str | None) -> bool:
    try:
        return await transport.tokens.replace(token)
    except ClientError:
        return False
