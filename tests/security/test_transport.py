"""Nothing crosses a network in clear: finding 14 of the review. And secrets that are files: finding 36."""

import ssl
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from frontend.app import App
from frontend.settings import InvalidSettings, load
from tests.component.frontend.test_reload import make_certificate
from tests.security.servers import serving

PUBLIC = ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "phone.example.com", "10.0.0.7"]


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, Any]:
    cert, key = make_certificate(tmp_path, "phone.example.com")
    return {"tls_cert": cert, "tls_key": key}


@pytest.mark.parametrize("host", PUBLIC)
def test_an_address_that_others_reach_is_refused_without_tls(host: str) -> None:
    with pytest.raises(InvalidSettings, match="HTTP_HOST: at .* HTTP_PORT and WS_PORT would carry passwords"):
        load(ari_password="x", http_host=host)


@pytest.mark.parametrize("host", PUBLIC)
def test_it_is_accepted_with_tls_or_behind_a_proxy(host: str, certificate: dict[str, Any]) -> None:
    assert load(ari_password="x", http_host=host, **certificate).https
    assert not load(ari_password="x", http_host=host, trusted_proxies="192.0.2.7").https


def test_a_port_that_is_left_in_clear_is_named(certificate: dict[str, Any]) -> None:
    known = {"ari_password": "x", "http_host": "0.0.0.0", **certificate}
    with pytest.raises(InvalidSettings, match="HTTP_HOST: at 0.0.0.0, WS_PORT would carry"):
        load(**known, enable_wss=False)
    with pytest.raises(InvalidSettings, match="HTTP_HOST: at 0.0.0.0, HTTP_PORT would carry"):
        load(**known, enable_https=False)
    assert load(**known, enable_wss=False, ws_port=0).https


@pytest.mark.parametrize("name", ["enable_https", "enable_wss"])
def test_tls_without_a_certificate_is_not_promised(name: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{name.upper()}: true needs TLS_CERT"):
        load(**{"ari_password": "x", name: True})


def test_the_names_of_the_original_configuration(
    certificate: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_PATH", str(certificate["tls_cert"]))
    monkeypatch.setenv("SSL_KEY_PATH", str(certificate["tls_key"]))
    monkeypatch.setenv("SSL_CA_PATH", str(certificate["tls_cert"]))
    monkeypatch.setenv("ENABLE_HTTPS", "true")
    monkeypatch.setenv("ENABLE_WSS", "false")
    found = load(_env_file=None, ari_password="x")
    assert (found.tls_cert, found.tls_key) == (certificate["tls_cert"], certificate["tls_key"])
    assert found.tls_ca == certificate["tls_cert"] and found.https and not found.wss


async def test_each_port_has_the_transport_that_is_set(tmp_path: Path, certificate: dict[str, Any]) -> None:
    async with serving(tmp_path, **certificate, enable_wss=False) as server:
        assert server.app.url.startswith("https:") and server.app.legacy_ws_url.startswith("ws:")
        async with aiohttp.ClientSession() as http:
            async with http.get(server.app.url + "/health", ssl=False) as response:
                assert response.status == 200
            async with http.ws_connect(server.app.legacy_ws_url) as ws:
                assert (await ws.receive_json())["type"] == "welcome"


async def test_who_reaches_the_port_of_the_proxy_directly_gets_no_further(tmp_path: Path) -> None:
    """The server listens on all addresses for its proxy at 127.9.9.9; this machine's own address is a stranger's."""
    async with serving(
        tmp_path, http_host="0.0.0.0", enable_authentication=True, trusted_proxies="192.0.2.7"
    ) as server:
        app: App = server.app
        port = app.url.rpartition(":")[2]
        async with aiohttp.ClientSession() as http:
            address = own_address()
            for path in ("/", "/session", "/ws", "/config"):
                async with http.get(f"http://{address}:{port}{path}") as response:
                    assert response.status == 403, path
                    assert "use its https address" in (await response.json())["detail"]
            async with http.get(f"http://{address}:{port}/health") as response:
                assert response.status == 200
            async with http.get(f"http://127.0.0.1:{port}/config") as response:
                assert response.status == 200


def own_address() -> str:
    """An address of this machine that is not loopback."""
    told = subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()
    addresses = [one for one in told if ":" not in one]
    if not addresses:
        pytest.skip("this machine has no address but loopback")
    return addresses[0]


def openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """root.pem signs issuer.pem, which signs server.pem (with server.key) for 127.0.0.1."""
    made = tmp_path / "chain"
    made.mkdir()
    (made / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n")
    (made / "server.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root", folder=made)
    for name, issuer, extension in (("issuer", "root", "ca.ext"), ("server", "issuer", "server.ext")):
        openssl("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", folder=made)
        signed = ("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key")
        openssl(*signed, "-CAcreateserial", "-extfile", extension, "-out", f"{name}.pem", folder=made)
    return made


@pytest.mark.parametrize("with_ca", [True, False])
async def test_the_certificates_of_the_issuers_are_sent_along(tmp_path: Path, chain: Path, with_ca: bool) -> None:
    """A browser trusts the root alone: without what stands between, it trusts no server."""
    files = {"tls_cert": chain / "server.pem", "tls_key": chain / "server.key"}
    if with_ca:
        files["tls_ca"] = chain / "issuer.pem"
    trust = ssl.create_default_context(cafile=str(chain / "root.pem"))
    async with serving(tmp_path, **files) as server, aiohttp.ClientSession() as http:
        if not with_ca:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await http.get(server.app.url + "/health", ssl=trust)
            return
        async with http.get(server.app.url + "/health", ssl=trust) as response:
            assert response.status == 200


SECRETS = ["ari_password", "turn_secret", "metrics_token", "sip_edge_token"]
SECRETS += ["cdr_database_url", "accounts_database_url"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    secret = "postgresql://u:hunter2@db/x" if name.endswith("url") else "hunter2" * 6
    (tmp_path / "secret").write_text(f"  {secret}\n")
    monkeypatch.setenv("ARI_PASSWORD", "other")
    monkeypatch.setenv(name.upper(), "")  # as compose passes what is not set
    monkeypatch.setenv(f"{name.upper()}_FILE", str(tmp_path / "secret"))
    found = load(_env_file=None)
    assert getattr(found, name) == secret and "hunter2" not in repr(found)


def test_the_file_may_be_named_in_the_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / ".env").write_text(f"ARI_PASSWORD_FILE={tmp_path}/secret\n")
    assert load(_env_file=tmp_path / ".env").ari_password == "hunter2"


def test_a_secret_file_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_PASSWORD_FILE", str(tmp_path / "nothing"))
    with pytest.raises(InvalidSettings, match="ARI_PASSWORD_FILE: .*nothing cannot be read: No such file"):
        load(_env_file=None)
    (tmp_path / "long").write_text("x" * 70000)
    monkeypatch.setenv("ARI_PASSWORD_FILE", str(tmp_path / "long"))
    with pytest.raises(InvalidSettings, match="too long for a secret"):
        load(_env_file=None)


def test_what_is_no_secret_is_read_from_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "port").write_text("1234")
    monkeypatch.setenv("HTTP_PORT_FILE", str(tmp_path / "port"))
    assert load(_env_file=None, ari_password="x").http_port == 3000
