"""Reads the body of a request: so many bytes at most, and within a deadline."""

import asyncio

from aiohttp import web

from ari_bridge import metrics
from frontend.http.problems import ProblemError
from frontend.http.server import ClientProtocol

MAX_BODY_BYTES = 1024 * 1024
MAX_PUBLIC_BODY_BYTES = 16 * 1024
"""Of a request that needs no token."""
BODY_TIMEOUT_S = 30.0

_BODY = web.RequestKey("body", bytes)


async def read_request_body(request: web.Request, most: int) -> bytes:
    """The whole body. Raises ProblemError (`too_large`, `timeout`), web.RequestPayloadError."""
    too_large = ProblemError("too_large", f"The body has more than {most} bytes.")
    if (request.content_length or 0) > most:
        raise too_large
    protocol = request.protocol if isinstance(request.protocol, ClientProtocol) else None
    body = bytearray()
    if protocol:
        protocol.wait_for_client(True)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while chunk := await request.content.readany():
                body.extend(chunk)
                if len(body) > most:
                    raise too_large
    except TimeoutError:
        metrics.CONNECTIONS_CUT.labels("body").inc()
        detail = f"The body was not complete within {BODY_TIMEOUT_S:g} s."
        raise ProblemError("timeout", detail, headers={"Connection": "close"}) from None
    except ConnectionError:  # nobody reads this, and no log should have a traceback for it
        raise ProblemError("invalid_request", "The client has disconnected in the middle of the body.") from None
    finally:
        if protocol:
            protocol.wait_for_client(False)
    whole = request[_BODY] = bytes(body)
    return whole


def body_of(request: web.Request) -> bytes:
    """The body that was read."""
    body: bytes = request.get(_BODY, b"")
    return body
