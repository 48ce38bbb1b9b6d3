"""What the doctor finds at a SIP edge, with a cure for each fault."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest

from ari_bridge.diagnostics import edge_checks
from ari_bridge.diagnostics.checks import CheckFailed, Subject
from ari_bridge.diagnostics.edge_checks import EdgeChecks
from ari_bridge.diagnostics.sip_message import Request
from tests.fakes.kamailio import FakeKamailio
from tests.fakes.sip_server import FakeSipServer, reply


class Pbx:
    """`endpoint`: the HTTP status that ARI answers with; `places`: what is in the dialplan."""

    def __init__(self, endpoint: int = 200, *places: str) -> None:
        self._endpoint, self._places = endpoint, places

    async def status_of(self, path: str) -> int:
        return self._endpoint if path == "/endpoints/PJSIP/edge" else 404

    async def has_extension(self, place: str) -> bool:
        return place in self._places


GOOD = Pbx(200, "from-edge,100,1")


@pytest.fixture
async def edge() -> AsyncIterator[FakeKamailio]:
    async with FakeKamailio() as edge:
        yield edge


@pytest.fixture
def subject(edge: FakeKamailio) -> Subject:
    return Subject(
        ari_url="http://127.0.0.1:8088/ari",
        ari_user="u",
        ari_password="p",
        ari_app="ari-bridge",
        rtpengine_ng=(),
        sip_edge_token=edge.token,
        sip_edge_rpc_url=edge.url,
        sip_realm="ari-bridge",
        sip_passwords=2,
    )


async def found(subject: Subject, pbx: Pbx = GOOD) -> dict[str, tuple[str, str, bool]]:
    """By the check's name what was seen, what to do, and whether it failed."""
    findings: dict[str, tuple[str, str, bool]] = {}
    for check in EdgeChecks(subject, pbx).all({"external media"}):
        if any(failed for name, (_, _, failed) in findings.items() if name in check.needs):
            continue
        try:
            findings[check.name] = (*await check.run(), False)
        except CheckFailed as error:
            findings[check.name] = (str(error), error.cure, True)
    return findings


def answers(status: str) -> FakeSipServer:
    def script(request: Request) -> Iterable[bytes]:
        if request.method == "OPTIONS":
            yield reply(request, status)

    return FakeSipServer(script)


async def test_an_edge_that_works(edge: FakeKamailio, subject: Subject) -> None:
    async with answers("200 OK") as server:
        for transport in ("udp", "tcp"):
            edge.sockets = [("ws", "127.0.0.1", 1), (transport, "0.0.0.0", server.port)]
            ring = f"PJSIP/edge/sip:{{user}}@127.0.0.1:{server.port}"
            findings = await found(replace(subject, sip_edge_ring=ring))
            assert not any(cure or failed for _, cure, failed in findings.values()), findings
            assert f"{transport}:127.0.0.1:{server.port} answers OPTIONS with 200" in findings["SIP edge OPTIONS"][0]
    assert "kamailio" in findings["SIP edge"][0]


async def test_there_is_nothing_to_check_without_one(subject: Subject) -> None:
    assert await found(replace(subject, sip_edge_token="")) == {}


async def test_sip_that_does_not_answer(edge: FakeKamailio, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_checks, "_OPTIONS_S", 0.2)
    for sockets in ([], [("udp", "127.0.0.1", 9)], [("tcp", "127.0.0.1", 9)]):
        edge.sockets = sockets
        seen, cure, failed = (await found(subject))["SIP edge OPTIONS"]
        assert failed and "no socket" in seen and "log" in cure
    async with answers("503 No PBX") as server:
        edge.sockets = [("udp", "127.0.0.1", server.port)]
        seen, cure, failed = (await found(subject))["SIP edge OPTIONS"]
        assert failed and "503 No PBX" in seen and "503: it reaches no Asterisk" in cure


async def test_json_rpc_that_does_not_answer(edge: FakeKamailio, subject: Subject) -> None:
    _, cure, failed = (await found(replace(subject, sip_edge_token="x" * 32)))["SIP edge"]
    assert failed and "have to be the same" in cure
    edge.body = b"<html>"
    seen, _, failed = (await found(subject))["SIP edge"]
    assert failed and "not as a Kamailio" in seen
    await edge.stop()
    seen, cure, failed = (await found(subject))["SIP edge"]
    assert failed and "cannot be reached" in seen and "Does the SIP edge run" in cure
    await edge.start()
    _, cure, failed = (await found(replace(subject, sip_edge_rpc_url="")))["SIP edge"]
    assert not failed and "SIP_EDGE_RPC_URL=" in cure


async def test_an_asterisk_that_does_not_know_the_edge(subject: Subject) -> None:
    for pbx, wanted in ((Pbx(404), "pjsip reload"), (Pbx(500), "log"), (Pbx(200), "Stasis(ari-bridge,sip")):
        _, cure, failed = (await found(subject, pbx))["SIP edge in Asterisk"]
        assert failed and wanted in cure


async def test_sip_passwords_of_nobody_or_another_realm(subject: Subject) -> None:
    _, cure, failed = (await found(replace(subject, sip_passwords=0)))["SIP passwords"]
    assert not failed and "user sip-password NAME" in cure
    seen, cure, _ = (await found(replace(subject, sip_passwords_elsewhere=3)))["SIP passwords"]
    assert "3 one of another realm" in seen and "Set SIP_REALM back" in cure


async def test_what_is_dialled_for_a_phone_leads_to_the_edge(edge: FakeKamailio, subject: Subject) -> None:
    edge.sockets = [("udp", "127.0.0.2", 5062)]

    async def ring(value: str) -> tuple[str, str, bool]:
        [check] = [
            one for one in EdgeChecks(replace(subject, sip_edge_ring=value), GOOD).all(set()) if "RING" in one.name
        ]
        try:
            return (*await check.run(), False)
        except CheckFailed as error:
            return str(error), error.cure, True

    right = "PJSIP/edge/sip:{user}@127.0.0.2:5062"
    assert await ring(right) == (f"{right} leads to the edge", "", False)
    seen, cure, failed = await ring("")
    assert "do not ring" in seen and right in cure and not failed
    seen, cure, failed = await ring("PJSIP/other/sip:{user}@127.0.0.2:5062")
    assert failed and "no PJSIP endpoint other" in seen and right in cure
    seen, cure, failed = await ring("PJSIP/edge/sip:{user}@127.0.0.2:5063")
    assert "none of the edge's own sockets" in seen and right in cure and not failed
    assert not (await ring("Local/{user}@phones"))[1]
