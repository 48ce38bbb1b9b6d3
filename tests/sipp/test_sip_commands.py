"""What an operator has for the SIP edge, at real parts: `ari-bridge sip`, the doctor, who is registered."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ari_bridge.diagnostics.checks import Result, Subject
from ari_bridge.diagnostics.doctor import examine
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.sip_edge import EdgeRegistrar, EdgeRpc
from frontend.cli.commands import main
from tests.real.sip_client import SipClient
from tests.real.sip_edge import REALM, TOKEN, EdgeSite, edge_site

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("edge")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[EdgeSite]:
    with edge_site(folder) as running:
        yield running


def command(what: str, site: EdgeSite, transport: str, *arguments: str, password: str = "") -> tuple[int, str]:
    host = f"127.0.0.1:{site.port_of(transport)}"
    given = ["sip", what, host, *arguments, "--transport", transport]
    result = CliRunner().invoke(main, given, env={"PASSWORD": password})
    return result.exit_code, result.output


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_edge_answers_and_a_call_is_heard(site: EdgeSite, folder: Path, transport: str) -> None:
    trust = ["--ca", str(folder / "certificate.pem")] if transport == "tls" else []
    status, told = command("options", site, transport, *trust)
    assert status == 0 and "← SIP/2.0 200" in told, told
    call = ("601", *trust, "--user", "1001", "--expect-tone", "1004", "--seconds", "10")
    status, told = command("invite", site, transport, *call, password="secret-1001")
    assert status == 0 and "Heard a tone at 1004 Hz" in told, told
    assert "secret-1001" not in told and "→ BYE" in told and "← SIP/2.0 401" in told


def test_a_call_that_is_refused_or_not_taken(site: EdgeSite) -> None:
    status, told = command("invite", site, "udp", "601", "--user", "1001", password="wrong")
    assert status == 1 and told.count("← SIP/2.0 401") == 2, told
    status, told = command("invite", site, "udp", "604", "--user", "1001", password="secret-1001")
    assert status == 1 and "486" in told, told
    status, told = command("invite", site, "udp", "603", "--user", "1001", "--ring", "2", password="secret-1001")
    assert status == 3 and "→ CANCEL" in told and "← SIP/2.0 487" in told, told
    for _ in range(100):
        if not [line for line in site.pbx.asterisk.cli("core show channels concise").splitlines() if "!" in line]:
            break
    else:
        pytest.fail("a channel is left")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_phone_that_registers_is_seen_and_can_be_made_to_go(site: EdgeSite) -> None:
    registrar = EdgeRegistrar(EdgeRpc(site.edge.rpc_url, TOKEN), lambda user: True, interval=0.1)
    await registrar.start()
    try:
        await until(lambda: not registrar.reason)
        async with SipClient(site.port, user="1003", password="secret-1003") as phone:
            assert (await phone.register()).status == 200
            await until(lambda: "1003" in registrar.users())
            [one] = [one for one in registrar.registrations() if one.user == "1003"]
            assert (one.transport, one.address) == ("udp", "127.0.0.1")
            asked = len(site.users.asked)
            registrar.drop("1003", contacts=True)
            await until(lambda: "1003" not in registrar.users())
            assert (await phone.register()).status == 200
            assert "1003" in site.users.asked[asked:], "the edge asks for the credentials again"
    finally:
        await registrar.close()


async def test_the_doctor_finds_nothing_wrong(site: EdgeSite) -> None:
    asterisk = site.pbx.asterisk
    subject = Subject(
        ari_url=asterisk.ari_url,
        ari_user=asterisk.ari_user,
        ari_password=asterisk.ari_password,
        ari_app="ari-bridge",
        rtpengine_ng=tuple(NodeAddress.parse(each.ng_address) for each in site.rtpengines),
        dial_context="from-browser",
        sip_edge_token=TOKEN,
        sip_edge_rpc_url=site.edge.rpc_url,
        sip_realm=REALM,
        sip_passwords=1,
    )
    findings = {finding.check: finding for finding in await examine(subject)}
    assert findings["SIP edge"].result is Result.OK
    assert findings["SIP edge OPTIONS"].result is Result.OK, findings["SIP edge OPTIONS"]
    assert findings["SIP passwords"].result is Result.OK
    # This dialplan answers 600 and the like by itself, and has no extension 100.
    assert findings["SIP edge in Asterisk"].result is Result.FAILED
    assert "Stasis(ari-bridge,sip" in findings["SIP edge in Asterisk"].cure
