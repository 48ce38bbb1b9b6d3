"""SIP over WebSocket, and media that is encrypted: what the edge answers to browsers and to phones with SRTP."""

import aiohttp
import pytest

from tests.real.sip_client import OPUS_OFFER, Message
from tests.real.sip_edge import EdgeSite
from tests.sipp.edge_phones import client, nothing_left
from tests.sipp.edge_phones import hung_up as hung_up
from tests.sipp.edge_phones import site as site

pytestmark = pytest.mark.real

KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\n"
BROWSER = """a=rtcp-mux
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8g
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=mid:0
"""


async def test_a_browser_speaks_sip_over_websocket(site: EdgeSite) -> None:
    phone = client(site)
    url = f"http://127.0.0.1:{site.port}/"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, protocols=("sip",)) as socket:
        assert socket.protocol == "sip"
        dialog = phone.new_dialog(f"sip:127.0.0.1:{site.port}")
        dialog.to = "<sip:1001@127.0.0.1>"
        await socket.send_str(phone.request("REGISTER", dialog).replace("/UDP", "/WS").replace("=udp", "=ws"))
        challenge = Message.parse(await socket.receive_str(timeout=5))
        assert challenge.status == 401
        proof = phone.sign(challenge, "REGISTER", dialog.target)
        text = phone.request("REGISTER", dialog, headers=proof)
        await socket.send_str(text.replace("/UDP", "/WS").replace("=udp", "=ws"))
        assert Message.parse(await socket.receive_str(timeout=5)).status == 200


async def test_a_phone_with_srtp_is_answered_with_a_key(site: EdgeSite) -> None:
    offer = OPUS_OFFER.format(port=9, version=1).replace("RTP/AVP", "RTP/SAVP") + KEY
    async with client(site, "tls") as phone:
        dialog, answer = await phone.call("601", body=offer)
        assert answer.status == 200, answer.text
        assert "RTP/SAVP 111" in answer.body
        assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in answer.body
        await phone.ask("BYE", dialog)
    await nothing_left(site)


async def test_a_browsers_offer_is_answered_with_dtls_and_ice(site: EdgeSite) -> None:
    offer = OPUS_OFFER.format(port=9, version=1).replace("RTP/AVP", "UDP/TLS/RTP/SAVPF") + BROWSER
    async with client(site) as phone:
        dialog, answer = await phone.call("601", body=offer)
        assert answer.status == 200, answer.text
        for wanted in ("UDP/TLS/RTP/SAVPF 111", "a=fingerprint:", "a=ice-ufrag:", "a=rtcp-mux", "a=candidate:"):
            assert wanted in answer.body
        await phone.ask("BYE", dialog)
    await nothing_left(site)
