"""JSON-RPC 2.0 over HTTP to the SIP edge's Kamailio (its modules xhttp and jsonrpcs)."""

from itertools import count
from typing import Any

import aiohttp
import msgspec

from ari_bridge.errors import PeerRefused, PeerTimeout, PeerUnreachable

PEER = "The SIP edge"
TIMEOUT_S = 2.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Some 25 000 registrations."""
NOT_FOUND = 404
"""Of an answer: there is nothing of this name."""
_PIECE_BYTES = 256 * 1024


class EdgeRpc:
    """Asks one Kamailio. To be closed.

    Args:
        url: Where its JSON-RPC is, e.g. http://127.0.0.1:5064/RPC.
        token: What it takes as bearer token.
        timeout: Of each request, in seconds.
    """

    def __init__(self, url: str, token: str, *, timeout: float = TIMEOUT_S) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = timeout
        self._ids = count(1)
        self._session: aiohttp.ClientSession | None = None

    async def call(self, method: str, *params: str) -> Any:
        """The result. Raises PeerRefused (with JSON-RPC's code as `status`), PeerTimeout, PeerUnreachable."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout)
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": next(self._ids)}
        try:
            async with self._session.post(self._url, json=request, allow_redirects=False) as response:
                body = await _read(response, method)
        except TimeoutError as error:
            raise PeerTimeout(PEER, method, self._timeout) from error
        except (aiohttp.ClientError, OSError) as error:
            raise PeerUnreachable(PEER, method, str(error) or type(error).__name__) from error
        return _result(body, method, response)

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None


async def _read(response: aiohttp.ClientResponse, method: str) -> bytes:
    body = bytearray()
    while piece := await response.content.read(_PIECE_BYTES):
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise PeerRefused(PEER, method, "its answer is too large", response.status)
    return bytes(body)


def _result(body: bytes, method: str, response: aiohttp.ClientResponse) -> Any:
    """Raises PeerRefused. An error has an HTTP status of its own kind too, and the same body."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        answer = None
    match answer:
        case {"error": {"message": str(message), "code": int(code)}}:
            raise PeerRefused(PEER, method, message[:200], code)
        case {"result": result} if response.status == 200:
            return result
    reason = "its answer is no JSON-RPC" if response.status == 200 else response.reason or "no reason given"
    raise PeerRefused(PEER, method, reason, response.status)
