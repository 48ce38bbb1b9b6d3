"""Connections that fill the server: finding 9 of the review. Silent ones, slow ones, and ones that never sign in."""

import asyncio
import json
import resource
import ssl
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher

from ari_bridge.accounts import passwords
from ari_bridge.accounts.users_file import UsersFile
from frontend.auth.proxies import parse_proxies
from frontend.http import door, listening_port, request_body
from frontend.http import server as http_server
from frontend.http.connection_table import HolderKind
from frontend.http.door import Door
from frontend.http.token_buckets import Rate
from frontend.websocket import hub
from tests.component.frontend.test_reload import make_certificate
from tests.offers import OFFER
from tests.security.servers import Server, serving

PASSWORD = "correct horse battery staple"
HEAD = "GET / HTTP/1.1\r\nX: "


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@asynccontextmanager
async def guarded(folder: Path, **changes: Any) -> AsyncIterator[Server]:
    """A server with sign-in and the user 1001."""
    UsersFile(folder / "users").add("1001", PASSWORD)
    async with serving(folder, enable_authentication=True, **changes) as server:
        yield server


class Flood:
    """Connections of an attacker."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def connect(self, count: int, sent: str = HEAD, *, sources: int = 1, block: int = 9) -> None:
        for number in range(count):
            source = f"127.0.{block}.{number % sources + 1}"
            reader, writer = await asyncio.open_connection(*self._server.address, local_addr=(source, 0))
            writer.write(sent.encode())
            self.open.append((reader, writer))

    async def ended(self, count: int) -> None:
        """Waits until the server has closed so many of them."""
        async with asyncio.timeout(10):
            while sum(reader.at_eof() or reader.exception() is not None for reader, _ in self.open) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def close(self) -> None:
        for _, writer in self.open:
            writer.transport.abort()


@asynccontextmanager
async def flood_of(server: Server) -> AsyncIterator[Flood]:
    flood = Flood(server)
    try:
        yield flood
    finally:
        flood.close()


async def sign_in(server: Server, source: str = "127.0.0.1") -> str:
    body = json.dumps({"user": "1001", "password": PASSWORD})
    answer = await server.send(f"POST /session HTTP/1.1\nHost: a\nContent-Length: {len(body)}\n\n{body}", source)
    assert answer.status == 200, answer.body
    return str(json.loads(answer.body)["token"])


async def told(page: aiohttp.ClientWebSocketResponse, *kinds: str) -> dict[str, Any]:
    """The next message of one of these types."""
    async with asyncio.timeout(5):
        while (message := await page.receive_json())["type"] not in kinds:
            pass
    return dict(message)


async def told_close(page: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code that the WebSocket is closed with."""
    async with asyncio.timeout(5):
        while (await page.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return page.close_code


async def answers(page: aiohttp.ClientWebSocketResponse) -> None:
    await page.send_json({"type": "ping", "id": 7})
    await told(page, "pong")


async def no_strangers(server: Server) -> None:
    """Waits until the server counts no connection of strangers."""
    async with asyncio.timeout(10):
        while door_of(server).table.count(HolderKind.STRANGER):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def door_of(server: Server) -> Door:
    door = server.app.door
    assert door is not None
    return door


# --- how many -------------------------------------------------------------------------


async def test_silent_connections_displace_each_other_and_nobody_else(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, max_connections_per_address=16) as server,
        aiohttp.ClientSession(server.app.url) as http,
        flood_of(server) as flood,
    ):
        token = await sign_in(server)
        async with http.ws_connect("/ws") as page:
            await page.receive_json()
            await page.send_json({"type": "register", "user": "1001", "token": token})
            await flood.connect(100)
            await flood.ended(84)
            assert door_of(server).table.count(HolderKind.STRANGER) <= 17
            await sign_in(server)
            await sign_in(server, "127.0.9.1")  # a colleague at the attacker's address
            await answers(page)


async def test_a_flood_from_many_addresses_leaves_room_for_a_newcomer(tmp_path: Path) -> None:
    async with guarded(tmp_path, max_connections=256) as server, flood_of(server) as flood:
        await flood.connect(400, sources=200)
        await flood.ended(400 - 64)
        assert door_of(server).table.count(HolderKind.STRANGER) == 64
        await sign_in(server)


async def test_a_user_has_so_many_connections(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, max_connections_per_user=4) as server,
        aiohttp.ClientSession(server.app.url, headers={"Authorization": f"Bearer {await sign_in(server)}"}) as http,
    ):
        streams = [await http.get("/events") for _ in range(4)]
        assert [stream.status for stream in streams] == [200] * 4
        async with http.get("/cdrs") as refused:
            assert refused.status == 429 and int(refused.headers["Retry-After"]) >= 1
            assert (await refused.json())["code"] == "too_many"
        streams[0].close()
        async with asyncio.timeout(5):
            while (await http.get("/cdrs")).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for stream in streams:
            stream.close()


async def test_a_page_that_is_one_too_many_is_told_so(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, max_connections_per_user=4) as server,
        aiohttp.ClientSession(server.app.url) as http,
    ):
        token = await sign_in(server)
        pages = [await http.ws_connect("/ws") for _ in range(5)]
        for page in pages:
            await page.send_json({"type": "register", "user": "1001", "token": token})
        kinds = []
        for page in pages:
            message = await told(page, "registered", "error")
            kinds.append(message.get("code") or message["type"])
            await page.close()
        assert kinds == ["registered"] * 4 + ["too_many"]


async def test_clients_of_a_proxy_are_counted_by_their_own_address(tmp_path: Path) -> None:
    trusted = parse_proxies("127.0.8.1")
    async with (
        guarded(tmp_path, max_connections_per_address=8, trusted_proxies=trusted) as server,
        flood_of(server) as flood,
    ):
        slow = "POST /session HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: 99\r\n\r\n"
        for _ in range(30):
            await flood.connect(1, slow, block=8)
        await flood.ended(22)
        other = await server.send("GET /health HTTP/1.1\nHost: a\nX-Forwarded-For: 192.0.2.2", "127.0.8.1")
        assert other.status == 200


async def test_connecting_again_and_again_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CONNECTING_RATE", Rate(per_second=0.001, burst=20))
    async with guarded(tmp_path) as server, flood_of(server) as flood:
        await flood.connect(30, "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answered = 0
        for reader, _ in flood.open:
            try:
                answered += bool(await asyncio.wait_for(reader.read(16), 10))
            except ConnectionError:
                pass
        assert answered == 20
        await sign_in(server)


ATTACKER = """
import select, socket, sys
print("ready", flush=True)
sys.stdin.readline()
connections = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(150)]
closed = set()
while len(closed) < 100:
    closed.update(select.select(set(connections) - closed, [], [])[0])
print("closed", flush=True)
sys.stdin.readline()
"""
"""Opens more connections than the server has descriptors for."""


@contextmanager
def descriptors(spare: int) -> Iterator[None]:
    """This process may open so many more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/dev/null") as file:
        resource.setrlimit(resource.RLIMIT_NOFILE, (file.fileno() + spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_accepting_goes_on_when_descriptors_have_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening_port, "PAUSE_S", 0.01)
    async with guarded(tmp_path) as server:
        attacker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ATTACKER, *map(str, server.address), stdin=PIPE, stdout=PIPE
        )
        assert attacker.stdin and attacker.stdout
        try:
            assert await attacker.stdout.readline() == b"ready\n"
            with descriptors(40):
                attacker.stdin.write(b"go\n")
                assert await asyncio.wait_for(attacker.stdout.readline(), 20) == b"closed\n"
            await sign_in(server)
        finally:
            attacker.kill()
            await attacker.communicate()


# --- how long -------------------------------------------------------------------------


async def test_a_handshake_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening_port, "HANDSHAKE_TIMEOUT_S", 0.3)
    certificate, key = make_certificate(tmp_path, "127.0.0.1")
    async with guarded(tmp_path, tls_cert=certificate, tls_key=key) as server, flood_of(server) as flood:
        await flood.connect(100, "")
        await flood.connect(100, "\x16\x03\x01\x02")
        await flood.connect(100, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")  # no TLS at all
        for reader, _ in flood.open:
            await reader.read(100)  # an alert, perhaps
        await flood.ended(300)
        await no_strangers(server)


async def test_handshakes_displace_each_other_and_a_client_gets_in(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "127.0.0.1")
    tls = ssl.create_default_context(cafile=str(certificate))
    tls.check_hostname = False
    connector = aiohttp.TCPConnector(ssl=tls)
    async with (
        guarded(tmp_path, tls_cert=certificate, tls_key=key, max_connections_per_address=16) as server,
        flood_of(server) as flood,
        aiohttp.ClientSession(server.app.url, connector=connector) as http,
    ):
        await flood.connect(100, "", block=0)  # from the client's own address, too
        await flood.ended(80)
        for _ in range(3):
            async with http.get("/config") as response:
                assert response.status == 200


@pytest.mark.parametrize("sent", ["", HEAD, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n"])
async def test_headers_that_never_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: str) -> None:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", 0.2)
    async with guarded(tmp_path) as server, flood_of(server) as flood:
        await flood.connect(300, sent)
        await flood.ended(300)
        assert door_of(server).table.count(HolderKind.STRANGER) == 0


async def test_headers_of_a_second_request_that_never_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", 0.2)
    async with guarded(tmp_path) as server, flood_of(server) as flood:
        await flood.connect(1, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        reader, writer = flood.open[0]
        await reader.readuntil(b"}")
        for _ in range(100):  # a byte now and then does not help
            writer.write(b"G")
            await asyncio.sleep(0.01)
            if reader.at_eof() or reader.exception():
                break
        await flood.ended(1)


async def test_a_body_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "BODY_TIMEOUT_S", 0.2)
    async with guarded(tmp_path) as server:
        answer = await server.send("POST /session HTTP/1.1\nHost: a\nContent-Length: 99\n\n{")
        assert answer.status == 408 and json.loads(answer.body)["code"] == "timeout"
        assert answer.headers["connection"] == "close"


async def test_a_client_that_leaves_in_the_middle_of_a_body_leaves_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with guarded(tmp_path) as server, flood_of(server) as flood:
        await flood.connect(10, "POST /session HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{")
        table = door_of(server).table
        async with asyncio.timeout(5):
            while table.count(HolderKind.STRANGER) < 10:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            flood.close()
            while table.count(HolderKind.STRANGER):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert "a request failed" not in capsys.readouterr().out


async def test_an_idle_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "KEEP_ALIVE_S", 0.2)
    async with guarded(tmp_path) as server, flood_of(server) as flood:
        await flood.connect(1, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        await flood.open[0][0].readuntil(b"}")
        await flood.ended(1)


async def test_a_websocket_that_never_signs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "SIGN_IN_TIMEOUT_S", 0.2)
    async with guarded(tmp_path) as server, aiohttp.ClientSession(server.app.url) as http:
        token = await sign_in(server)
        async with http.ws_connect("/ws") as silent, http.ws_connect("/ws") as page:
            await page.send_json({"type": "register", "user": "1001", "token": token})
            await silent.send_json({"type": "register", "user": "1001", "token": "wrong"})
            assert await told_close(silent) == 4408
            await answers(page)


async def test_a_reader_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "STALL_TIMEOUT_S", 0.3)
    async with guarded(tmp_path) as server, flood_of(server) as flood:
        await flood.connect(1, "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
        reader, writer = flood.open[0]
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            while door_of(server).table.count(HolderKind.STRANGER):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


# --- how much -------------------------------------------------------------------------


async def test_headers_of_any_number(tmp_path: Path) -> None:
    async with guarded(tmp_path) as server, flood_of(server) as flood:
        await flood.connect(1, "GET / HTTP/1.1\r\n" + f"X: {'x' * 30_000}\r\n" * 3)
        reader, _ = flood.open[0]
        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("length", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
async def test_a_body_before_the_sign_in(tmp_path: Path, length: str) -> None:
    async with guarded(tmp_path) as server:
        content = f"{17_000:x}\n{'x' * 17_000}\n0" if "chunked" in length else "x" * 17_000
        answer = await server.send(f"POST /session HTTP/1.1\nHost: a\n{length}\n\n{content}")
        assert answer.status == 413 and json.loads(answer.body)["code"] == "too_large"


async def test_a_websocket_before_the_sign_in(tmp_path: Path) -> None:
    async with guarded(tmp_path) as server, aiohttp.ClientSession(server.app.url) as http:
        token = await sign_in(server)
        async with http.ws_connect("/ws") as page, http.ws_connect("/ws") as stranger:
            await page.send_json({"type": "register", "user": "1001", "token": token})
            await told(page, "registered")
            for _ in range(4):
                offer = {"type": "offer", "target": "600", "sdp": OFFER + " " * 20_000}
                await page.send_json(offer)
                await stranger.send_json(offer)
            assert await told_close(stranger) in (None, 1006)
            await answers(page)
