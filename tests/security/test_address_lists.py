"""Which addresses may use the server: the header counts only if a trusted proxy has set it."""

from pathlib import Path

import pytest

from frontend.auth.proxies import parse_proxies
from frontend.settings import InvalidSettings, load
from tests.security.servers import serving

LISTED = parse_proxies("192.0.2.0/24,2001:db8::/32,127.0.7.1")
PROXY = "127.0.8.1"


@pytest.mark.parametrize(
    ("source", "headers", "status"),
    [
        ("127.0.9.1", "Host: a", 403),
        ("127.0.7.1", "Host: a", 200),
        ("127.0.0.1", "Host: 127.0.0.1", 200),  # a program on this machine
        ("127.0.9.1", "Host: a\nX-Forwarded-For: 192.0.2.1", 403),  # says who is no proxy
        ("127.0.9.1", "Host: a\nForwarded: for=192.0.2.1", 403),
        (PROXY, "Host: a\nX-Forwarded-For: 192.0.2.1", 200),
        (PROXY, "Host: a\nForwarded: for=192.0.2.1;proto=https", 200),
        (PROXY, 'Host: a\nForwarded: for="[2001:db8::1]:4711"', 200),
        (PROXY, "Host: a\nX-Forwarded-For: 198.51.100.1", 403),
        (PROXY, "Host: a\nX-Forwarded-For: 192.0.2.1, 198.51.100.1", 403),  # the client wrote the first one
        (PROXY, "Host: a\nX-Forwarded-For: 192.0.2.1\nForwarded: for=198.51.100.1", 403),  # one of both is the client's
        (PROXY, "Host: 127.0.0.1\nX-Forwarded-For: 198.51.100.1", 403),
        (PROXY, "Host: a\nX-Forwarded-For: unknown", 403),
    ],
)
async def test_only_listed_addresses(tmp_path: Path, source: str, headers: str, status: int) -> None:
    changes = {"enable_ip_whitelisting": True, "ip_whitelist": LISTED, "trusted_proxies": parse_proxies(PROXY)}
    async with serving(tmp_path, enable_authentication=True, **changes) as server:
        answer = await server.send(f"GET /config HTTP/1.1\n{headers}", source)
        assert answer.status == status


async def test_a_new_list_applies_at_once(tmp_path: Path) -> None:
    changes = {"enable_ip_whitelisting": True, "ip_whitelist": LISTED}
    async with serving(tmp_path, enable_authentication=True, **changes) as server:
        new = server.app.reloading.settings.model_copy(update={"enable_ip_whitelisting": False})
        assert (await server.send("GET /config HTTP/1.1\nHost: a", "127.0.9.1")).status == 403
        server.app.reloading.reload(lambda: new)
        assert (await server.send("GET /config HTTP/1.1\nHost: a", "127.0.9.1")).status == 200


def test_an_empty_list_would_shut_everybody_out() -> None:
    with pytest.raises(InvalidSettings, match="IP_WHITELIST"):
        load(ari_password="x", enable_ip_whitelisting=True)
