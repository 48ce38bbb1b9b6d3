"""As whom the SIP edge takes somebody, and that nobody calls or registers as somebody else."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from ari_bridge.sip_edge import EdgeRpc
from ari_bridge.sip_edge.registrations import parse
from tests.real.sip_client import OPUS_OFFER, Message, SipClient
from tests.real.sip_edge import TOKEN, EdgeSite, edge_site
from tests.sipp.edge_phones import client, nothing_left

pytestmark = pytest.mark.real

BODY = OPUS_OFFER.format(port=9, version=1)
ANY_USER, ONE_USER = "127.0.9.8", "127.0.9.9"  # trusted as who is in From, and as 1003


@pytest.fixture(scope="module")
def certificate() -> Iterator[tuple[Path, Path]]:
    """The certificate of 1001, signed by itself, and its key: where the edge's own user can read it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        made, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", str(key), "-out", str(made), "-subj", "/CN=1001", "-days", "1"]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        yield made, key


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[EdgeSite]:
    trusted = f"{ANY_USER},{ONE_USER}=1003"
    folder = tmp_path_factory.mktemp("edge")
    with edge_site(folder, SIP_TRUSTED=trusted, SIP_TLS_CLIENT_CA=str(certificate[0])) as running:
        yield running


async def test_a_trusted_address_registers_as_its_user_alone(site: EdgeSite) -> None:
    async with SipClient(site.port, local=ONE_USER, user="1003") as phone:
        assert (await phone.register()).status == 200
    async with SipClient(site.port, local=ONE_USER, user="1002") as phone:
        assert (await phone.register()).status == 403


async def test_a_trusted_address_registers_who_is_in_from_alone(site: EdgeSite) -> None:
    async with SipClient(site.port, local=ANY_USER, user="1004") as phone:
        assert (await phone.register()).status == 200
        dialog = phone.new_dialog(f"sip:127.0.0.1:{site.port}")
        dialog.to = "<sip:1002@127.0.0.1>"
        assert (await phone.ask("REGISTER", dialog, headers="Expires: 300\n")).status == 403


async def test_a_certificate_is_its_user_alone(site: EdgeSite, certificate: tuple[Path, Path]) -> None:
    async with SipClient(site.tls_port, transport="tls", user="1001", certificate=certificate) as phone:
        assert (await phone.register()).status == 200
        dialog, answer = await phone.call("600", body=BODY)
        assert answer.status == 200
        assert (await phone.ask("BYE", dialog)).status == 200
    async with SipClient(site.tls_port, transport="tls", user="1002", certificate=certificate) as phone:
        assert (await phone.register()).status == 403
        _, answer = await phone.call("600", body=BODY)
        assert answer.status == 403
    await nothing_left(site)


async def test_a_page_of_any_site_is_not_trusted_for_the_address_of_its_browser(site: EdgeSite) -> None:
    phone = SipClient(site.port, user="1004")
    connector = aiohttp.TCPConnector(local_addr=(ANY_USER, 0))
    url = f"http://127.0.0.1:{site.port}/"
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.ws_connect(url, protocols=("sip",), origin="https://example.com") as socket:
            dialog = phone.new_dialog(f"sip:600@127.0.0.1:{site.port}")
            await socket.send_str(phone.request("INVITE", dialog, body=BODY).replace("/UDP", "/WS"))
            while (answer := Message.parse(await socket.receive_str(timeout=5))).status < 200:
                pass
            assert answer.status == 401


async def test_names_differ_by_case(site: EdgeSite) -> None:
    async with client(site, user="bob") as bob, client(site) as caller:
        assert (await bob.register()).status == 200
        _, answer = await caller.call("91Bob", body=BODY)
        assert answer.status == 480
        assert not [message for message in bob.seen if message.startswith("<INVITE")]
        rpc = EdgeRpc(site.edge.rpc_url, TOKEN)
        try:
            async with client(site, user="Bob") as other:
                assert (await other.register()).status == 200
            assert {"bob", "Bob"} <= {one.user for one in parse(await rpc.call("ul.dump"), time.time())}
            await rpc.call("ul.rm", "location", "Bob")
            left = {one.user for one in parse(await rpc.call("ul.dump"), time.time())}
            assert "bob" in left
            assert "Bob" not in left
        finally:
            await rpc.close()
    await nothing_left(site)
