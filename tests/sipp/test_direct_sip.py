"""The whole way: a SIP client's Opus, the edge, Asterisk, the engine, and what was dialled."""

import asyncio
import shutil
from pathlib import Path

import pytest

from deploy.demo.rtpengine import Rtpengine
from deploy.demo.sip_edge import SipEdge
from tests.real import free_ports
from tests.real.live_system import live_system
from tests.real.opus_peer import OpusPeer
from tests.real.parts import Pbx, require_installed
from tests.real.sip_client import OPUS_OFFER, SipClient

pytestmark = pytest.mark.real

OURS = 440.0  # Hz that the client sends
MILLIWATT = 1004.0
TOKEN = "a-token-of-the-tests-0123456789abcdef"


async def test_a_sip_client_is_a_caller_like_any_other(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> None:
    require_installed(shutil.which("kamailio") is not None, "Kamailio")
    http, port, tls, pbx_side, rpc = free_ports.ports(5)
    told = {
        "SIP_EDGE_PBX": f"127.0.0.1:{pbx.sip_port}",
        "FRONT_END_URL": f"http://127.0.0.1:{http}",
        "RTPENGINE_NG": rtpengine.ng_address,
        "SIP_TRUSTED": "127.0.0.1",
    }
    edge = SipEdge(tmp_path, port=port, tls_port=tls, pbx_port=pbx_side, rpc_port=rpc, token=TOKEN, settings=told)
    async with live_system(pbx, rtpengine, http_port=http, sip_edge_token=TOKEN) as site:
        await asyncio.to_thread(edge.start)
        try:
            for number, tone in (("600", OURS), ("601", MILLIWATT)):
                async with OpusPeer(OURS) as peer, SipClient(port, user="1001") as phone:
                    dialog, answer = await phone.call(number, body=OPUS_OFFER.format(port=peer.port, version=1))
                    assert answer.status == 200, answer.text
                    peer.speak(("127.0.0.1", answer.media_port))
                    await (await peer.stream()).heard.wait_for_tone(tone)
                    assert len(site.app.calls.live()) == 1
                    assert (await phone.ask("BYE", dialog)).status == 200
        finally:
            await asyncio.to_thread(edge.stop)
