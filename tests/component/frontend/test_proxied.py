"""What comes by way of a proxy, or of a browser with other applications beside: large headers, names of hosts."""

import asyncio
import json
import logging

import aiohttp
import pytest

from frontend.app import App
from frontend.auth.proxies import parse_proxies
from frontend.settings import Settings

SECRET = "topsecret"


async def raw(app: App, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to these bytes: status, headers, body."""
    _, _, address = app.url.partition("://")
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            body = await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.close()
    return int(lines[0].split()[1]), headers, body


@pytest.mark.parametrize("size", [9000, 30_000])
async def test_the_cookies_of_others_do_no_harm(app: App, http: aiohttp.ClientSession, size: int) -> None:
    cookies = {"Cookie": f"session={SECRET * (size // len(SECRET))}"}
    async with http.get("/config", headers=cookies) as response:
        assert response.status == 200
    async with http.ws_connect(app.ws_url, headers=cookies) as socket:
        assert (await socket.receive_json())["type"] == "welcome"


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: s=" + SECRET.encode() * 5000 + b"\r\n\r\n", 431, "too_large"),
        (b"GET /?token=" + SECRET.encode() * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431, "too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: topsecret\r\n" * 300 + b"\r\n", 431, "too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: s=\x01topsecret\r\n\r\n", 400, "invalid_request"),
        (b"GET /?token=topsecret\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
        (b"topsecret\r\n\r\n", 400, "invalid_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03topsecret\r\n\r\n", 400, "invalid_request"),
    ],
    ids=["cookies", "address", "many", "bad header", "bad address", "no http", "TLS"],
)
async def test_a_request_that_cannot_be_read_is_told_without_its_bytes(
    app: App, request_bytes: bytes, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answered, headers, body = await raw(app, request_bytes)
    told = json.loads(body)
    assert (answered, told["code"], told["status"]) == (status, code, status)
    assert headers["content-type"] == "application/problem+json"
    assert SECRET not in body.decode() and SECRET not in caplog.text


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "https://a]b"])
async def test_an_origin_that_is_none_is_refused_and_no_fault_of_ours(app: App, origin: str) -> None:
    status, _, body = await raw(app, f"GET /config HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\n\r\n".encode())
    assert (status, json.loads(body)["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("sign_in", "trusted", "headers", "status"),
    [
        (True, "", {"Host": "phone.example.org"}, 200),
        (True, "", {"Host": "127.0.0.1:3000"}, 403),
        (True, "", {"Host": "127.0.0.1:3000", "X-Forwarded-Host": "phone.example.org"}, 403),
        (True, "loopback", {"Host": "127.0.0.1:3000", "X-Forwarded-Host": "phone.example.org"}, 200),
        (True, "loopback", {"Host": "127.0.0.1:3000", "X-Forwarded-Host": "evil.example"}, 403),
        (False, "", {"Host": "phone.example.org"}, 403),  # a foreign page can make its name resolve to us
    ],
)
async def test_a_page_behind_any_name_may_ask_where_one_must_sign_in(
    settings: Settings, sign_in: bool, trusted: str, headers: dict[str, str], status: int
) -> None:
    changes = {"enable_authentication": sign_in, "trusted_proxies": parse_proxies(trusted)}
    app = App(settings.model_copy(update=changes))
    await app.start()
    try:
        async with aiohttp.ClientSession(app.url) as http:
            origin = {"Origin": "https://phone.example.org"}
            async with http.get("/config", headers=origin | headers) as response:
                assert response.status == status
    finally:
        await app.close()
