"""Programs that speak as little SIP as they can: over TCP, from a trusted address, the first answer for the last."""

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.sip_client import OPUS_OFFER, close
from tests.real.sip_edge import EdgeSite, edge_site
from tests.sipp.edge_phones import nothing_left

pytestmark = pytest.mark.real

GUIDE = Path(__file__).parents[2] / "docs" / "DIRECT_SIP.md"
# No Contact, no Max-Forwards, no branch, and afterwards no ACK.
INVITE = """INVITE sip:{number}@127.0.0.1:{port} SIP/2.0
Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK776asdhds
From: <sip:1003@127.0.0.1>;tag=1928301774
To: <sip:{number}@127.0.0.1>
Call-ID: a84b4c76e66710
CSeq: 1 INVITE
Content-Type: application/sdp
Content-Length: {length}

{body}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeSite]:
    with edge_site(tmp_path_factory.mktemp("edge"), t1_ms=100, SIP_TRUSTED="127.0.0.1") as running:
        yield running


async def test_the_first_that_comes_by_tcp_is_the_answer(site: EdgeSite) -> None:
    body = "\r\n".join(OPUS_OFFER.format(port=9, version=1).splitlines()) + "\r\n"
    text = INVITE.format(number="600", port=site.port, length=len(body), body="").replace("\n", "\r\n") + body
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(text.encode())
    async with asyncio.timeout(5):
        first = (await reader.read(65536)).decode()
    assert first.startswith("SIP/2.0 200 OK\r\n"), first
    assert "opus/48000" in first
    await close(writer)
    # It never acknowledges, so Asterisk gives the call up after 64 * T1 (RFC 3261 section 13.3.1.4).
    await nothing_left(site, seconds=30)


async def test_a_busy_number_refuses_with_the_first_response(site: EdgeSite) -> None:
    body = "\r\n".join(OPUS_OFFER.format(port=9, version=1).splitlines()) + "\r\n"
    text = INVITE.format(number="604", port=site.port, length=len(body), body="").replace("\n", "\r\n") + body
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(text.replace("a84b4c76e66710", "busy").encode())
    async with asyncio.timeout(5):
        first = (await reader.read(65536)).decode()
    assert first.startswith("SIP/2.0 486"), first
    await close(writer)


async def test_the_program_of_the_guide_is_answered(site: EdgeSite) -> None:
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code.replace("5060", str(site.port)), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        printed, _ = await program.communicate()
    assert program.returncode == 0
    assert printed.startswith(b"SIP/2.0 200 OK")
    assert b"opus/48000" in printed
