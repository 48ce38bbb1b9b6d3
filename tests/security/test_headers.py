"""What a malformed request and every response carry: findings 13, 28 and 29 of the review."""

import json
import logging
import re
import ssl
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from ari_bridge.accounts.users_file import UsersFile
from frontend.auth.client_addresses import host_name
from frontend.http.response_headers import content_security_policy
from frontend.settings import InvalidSettings, load
from tests.component.frontend.test_reload import make_certificate
from tests.security.servers import serving

SAFE = ("content-security-policy", "x-content-type-options", "permissions-policy", "x-frame-options")


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "https://a]b", "http://[" + "x" * 20000])
async def test_a_malformed_origin_is_refused_with_one_line(
    tmp_path: Path, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as server:
        with caplog.at_level(logging.DEBUG), capture_logs() as lines:
            refused = await server.send(f"GET / HTTP/1.1\nHost: 127.0.0.1\nOrigin: {origin}")
    assert refused.status == 403 and json.loads(refused.body)["code"] == "forbidden"
    assert len(refused.body) < 2000
    assert all(name in refused.headers for name in SAFE)
    assert [line["event"] for line in lines] == ["request from a foreign origin refused"]
    assert max(len(str(value)) for value in lines[0].values()) <= 200
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("line", ["Host: [", "Host: a]b:x", "Host: 127.0.0.1:999999", "Host: \x7f", "Host: ::::"])
async def test_a_malformed_host_is_no_failure_of_ours(tmp_path: Path, line: str) -> None:
    async with serving(tmp_path) as server:
        with capture_logs() as lines:
            refused = await server.send(f"GET /config HTTP/1.1\n{line}")
    assert refused.status < 500
    assert not [each for each in lines if each["log_level"] == "error"]


@pytest.mark.parametrize("path", ["/", "/dashboard", "/config", "/health", "/nothing", "/cdrs.csv", "/events", "/docs"])
async def test_every_response_is_safe(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path) as server:
        seen = (await server.send(f"GET {path} HTTP/1.1\nHost: 127.0.0.1:3000")).headers
        upgraded = await server.send(
            "GET /ws HTTP/1.1\nHost: 127.0.0.1:3000\nUpgrade: websocket\nConnection: Upgrade\n"
            "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        )
    policy = seen["content-security-policy"]
    assert "connect-src 'self' ws://127.0.0.1:3000 wss://127.0.0.1:3000;" in policy
    assert "form-action 'none'" in policy and "ws:;" not in policy and "ws: " not in policy
    assert "microphone=(self)" in seen["permissions-policy"] and "camera=()" in seen["permissions-policy"]
    assert seen["cross-origin-opener-policy"] == seen["cross-origin-resource-policy"] == "same-origin"
    assert seen["x-content-type-options"] == "nosniff" and seen["x-frame-options"] == "DENY"
    assert "server" not in seen and "server" not in upgraded.headers
    assert seen["cache-control"] in ("no-store", "no-cache")
    if path not in ("/", "/dashboard", "/docs"):
        assert seen["cache-control"] == "no-store"


async def test_what_is_no_http_tells_no_versions(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        refused = await server.send("topsecret")
    assert refused.status == 400
    assert "aiohttp" not in str(refused.headers).lower() and "python" not in str(refused.headers).lower()
    assert refused.headers["cache-control"] == "no-store"


def test_nothing_of_a_host_gets_into_the_policy() -> None:
    assert "evil" not in content_security_policy("a; script-src evil", secure=False)
    assert "ws://a " not in content_security_policy("a", secure=True)
    assert host_name("[::1]:3000") == "::1" and host_name("::1") == "::1" and host_name("a.example:3") == "a.example"


async def test_browsers_are_told_to_stay_with_tls(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "phone.example.com")
    async with serving(tmp_path, tls_cert=certificate, tls_key=key) as server:
        trusting = ssl._create_unverified_context()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as http:
            async with http.get(f"{server.app.url}/config") as response:
                assert "Strict-Transport-Security" not in response.headers, "localhost is also for other programs"
                assert response.headers["Content-Security-Policy"].count(" ws://") == 0
    UsersFile(tmp_path / "users").add("1001", "right")
    async with serving(tmp_path, tls_cert=certificate, tls_key=key, enable_authentication=True) as server:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as http:
            async with http.get(f"{server.app.url}/config", headers={"Host": "phone.example.com"}) as response:
                assert response.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize("path", ["/cdrs", "/cdrs.csv", "/recordings", "/live", "/", "/ws"])
@pytest.mark.parametrize("host", ["evil.example:3000", "127.0.0.1.evil.example", "192.0.2.7", "localhost.evil.example"])
async def test_without_sign_in_a_foreign_name_gets_nothing(tmp_path: Path, host: str, path: str) -> None:
    """DNS rebinding: a GET of the page's own origin carries no Origin."""
    async with serving(tmp_path) as server:
        refused = await server.send(f"GET {path} HTTP/1.1\nHost: {host}")
    assert refused.status == 403
    assert "ENABLE_AUTHENTICATION" in json.loads(refused.body)["detail"]


@pytest.mark.parametrize(
    "line", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 proxy", "CF-Ray: 1"]
)
async def test_without_sign_in_a_proxy_gets_nothing(tmp_path: Path, line: str) -> None:
    async with serving(tmp_path) as server:
        refused = await server.send(f"GET /cdrs HTTP/1.1\nHost: 127.0.0.1:3000\n{line}")
    assert refused.status == 403
    assert "ENABLE_AUTHENTICATION" in json.loads(refused.body)["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "[::1]:3000", "127.0.0.9"])
async def test_this_machine_is_served(tmp_path: Path, host: str) -> None:
    async with serving(tmp_path) as server:
        assert (await server.send(f"GET /config HTTP/1.1\nHost: {host}")).status == 200


@pytest.mark.parametrize("path", ["/", "/dashboard", "/docs"])
async def test_a_page_has_a_nonce_of_its_own_and_no_other_style_gets_in(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path) as server:
        first, second = [await server.send(f"GET {path} HTTP/1.1\nHost: 127.0.0.1") for _ in range(2)]
    nonces = []
    for page in (first, second):
        [nonce] = re.findall(r"'nonce-([A-Za-z0-9_-]{22})'", page.headers["content-security-policy"])
        assert "unsafe-inline" not in page.headers["content-security-policy"]
        assert f'nonce="{nonce}"' in page.body.decode() and "CSP_NONCE" not in page.body.decode()
        nonces.append(nonce)
    assert nonces[0] != nonces[1]


async def test_a_page_is_shown_in_frames_of_the_listed_origins_alone(tmp_path: Path) -> None:
    async with serving(tmp_path, embed_origins="https://crm.example.com,https://*.example.org:8443") as server:
        page = await server.send("GET / HTTP/1.1\nHost: 127.0.0.1")
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://crm.example.com https://*.example.org:8443" in policy
    assert "x-frame-options" not in page.headers
    for wrong in ("https://crm.example.com/path", "crm.example.com", "*", "https://a; script-src *"):
        with pytest.raises(InvalidSettings, match="EMBED_ORIGINS"):
            load(ari_password="x", embed_origins=wrong)
