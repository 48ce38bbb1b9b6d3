"""Attacks on a server on this machine, in a process of their own: `python -m tests.security.live.attacker`.

Arguments: the attack, the address of the server, a token. Each is bounded in number and time. It prints a line when it
is at its worst, and ends when its input does.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

from ari_bridge_protocol.messages import ClientMessage
from tests.offers import OFFER

SECONDS = 6.0
"""How long an attack that sends goes on."""
MESSAGES_OF_A_KIND = 150


class Attack:
    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self.seen: Counter[str] = Counter()
        self._streams: list[asyncio.StreamWriter] = []

    # --- connections ------------------------------------------------------------------

    async def headers(self) -> None:
        """300 connections whose headers never end."""
        await self._connect(300, 3, b"GET / HTTP/1.1\r\nX: ")

    async def idle(self) -> None:
        """2000 connections that say nothing."""
        await self._connect(2000, 20, b"")

    async def bodies(self) -> None:
        """300 sign-ins whose body never ends."""
        await self._connect(300, 3, b"POST /session HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n{")

    async def websockets(self) -> None:
        """300 WebSockets on which nobody signs in."""
        upgrade = (
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await self._connect(300, 3, upgrade)

    async def _connect(self, count: int, sources: int, sent: bytes) -> None:
        for number in range(count):
            source = f"127.0.{40 + number % sources}.1"
            try:
                _, writer = await asyncio.open_connection(*self.address, local_addr=(source, 0))
            except OSError as error:
                self.seen[type(error).__name__] += 1
                continue
            writer.write(sent)
            self._streams.append(writer)
            self.seen["connected"] += 1

    # --- what is sent -----------------------------------------------------------------

    async def sign_ins(self) -> None:
        """100 sign-ins per second from 200 addresses, for the owner's name and for others."""
        attempts = []
        for number in range(int(100 * SECONDS)):
            user = "1001" if number % 2 else f"{1000 + number % 50}"
            attempts.append(asyncio.create_task(self._sign_in(user, f"127.1.{number % 200}.1")))
            await asyncio.sleep(0.01)
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)

    async def _sign_in(self, user: str, source: str) -> None:
        body = json.dumps({"user": user, "password": "wrong " * 20})
        reader, writer = await asyncio.open_connection(*self.address, local_addr=(source, 0))
        try:
            head = f"POST /session HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            self.seen[(await reader.readline())[9:12].decode()] += 1
        finally:
            writer.transport.abort()

    async def http(self) -> None:
        """As many requests as the server takes, with a token and without."""
        paths = ("/live", "/stats", "/cdrs?number=1", "/calls", "/health", "/config", "/openapi.json", "/nothing", "/")
        end = asyncio.get_running_loop().time() + SECONDS

        async def ask(number: int) -> None:
            headers = {"Authorization": f"Bearer {self.token}"} if number % 2 else {}
            source = aiohttp.TCPConnector(local_addr=(f"127.0.{50 + number}.1", 0))
            async with aiohttp.ClientSession(self.url, headers=headers, connector=source) as session:
                while asyncio.get_running_loop().time() < end:
                    for path in paths:
                        try:
                            async with session.get(path) as response:
                                self.seen[f"{response.status}"] += 1
                        except aiohttp.ClientError as error:
                            self.seen[type(error).__name__] += 1

        await asyncio.gather(*map(ask, range(8)))

    async def messages(self) -> None:
        """Each message of the WebSocket, more often than it is taken, invalid and valid ones, on four connections."""
        fields = {
            "callId": "attack-1", "sdp": OFFER, "target": "601", "user": "1009", "token": self.token, "id": 1,
            "session": "x", "digits": "1", "on": True, "party": 1, "action": "start", "score": 1, "candidate": None,
            "number": "1", "sessionToken": "x", "report": {},
        }  # fmt: skip
        async with aiohttp.ClientSession(self.url) as session:

            async def flood(kind: str) -> None:
                async with session.ws_connect("/ws", compress=0) as socket:
                    reading = asyncio.create_task(self._read(socket))
                    await socket.send_json({"type": "register", "user": "1009", "token": self.token})
                    try:
                        for number in range(MESSAGES_OF_A_KIND):
                            await socket.send_json({"type": kind} if number % 2 else {**fields, "type": kind})
                    except (ConnectionError, aiohttp.ClientError):
                        self.seen["cut off"] += 1
                    await asyncio.sleep(0.2)
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)

            kinds = [str(kind.__struct_config__.tag) for kind in ClientMessage.__args__]
            for at in range(0, len(kinds), 4):
                await asyncio.gather(*map(flood, kinds[at : at + 4]))
                self.seen["kinds"] += len(kinds[at : at + 4])

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = json.loads(frame.data)
            self.seen[message.get("code") or message["type"]] += 1


async def main(name: str, url: str, token: str) -> None:
    attack = Attack(url, token)
    run: Callable[[], Awaitable[None]] = getattr(attack, name)
    async with asyncio.timeout(60):
        await run()
    sys.stdout.write(json.dumps(attack.seen) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
