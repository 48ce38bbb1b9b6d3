"""An onlooker at Asterisk: sees when two channels are together in a bridge, whoever has put them there."""

import asyncio
import time
from collections import defaultdict
from typing import Self

import aiohttp
import msgspec

_APP = "bench-onlooker"
_ENTERED = "ChannelEnteredBridge"


class Observer:
    """As `async with`. `password` is ARI's."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password, "utf-8")}
        self._members: defaultdict[str, set[str]] = defaultdict(set)  # by bridge
        self._bridged: asyncio.Future[float] | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers)
        parameters = {"app": _APP, "subscribeAll": "true"}
        self._socket = await self._session.ws_connect(f"{self._url}/events", params=parameters)
        # Nothing else is sent to us, so that looking on costs Asterisk next to nothing.
        wanted = {"allowed": [{"type": _ENTERED}]}
        async with self._session.put(f"{self._url}/applications/{_APP}/eventFilter", json=wanted) as response:
            response.raise_for_status()
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()
        await self._session.close()

    def expect(self) -> asyncio.Future[float]:
        """When (Unix seconds) the next bridge has both its channels."""
        self._members.clear()
        self._bridged = asyncio.get_running_loop().create_future()
        return self._bridged

    async def left(self, *, seconds: float = 3.0) -> list[str]:
        """The ids of the channels and bridges that Asterisk holds, still after so long."""
        end = time.monotonic() + seconds
        while (found := await self._held()) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return found

    async def _held(self) -> list[str]:
        found: list[str] = []
        for what in ("channels", "bridges"):
            async with self._session.get(f"{self._url}/{what}") as response:
                found += [each["id"] for each in msgspec.json.decode(await response.read())]
        return found

    async def _read(self) -> None:
        async for message in self._socket:
            at = time.time()
            event = msgspec.json.decode(message.data)
            if event["type"] == _ENTERED:
                members = self._members[event["bridge"]["id"]]
                members.add(event["channel"]["id"])
                if len(members) == 2 and self._bridged and not self._bridged.done():
                    self._bridged.set_result(at)
