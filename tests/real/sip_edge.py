"""The real SIP edge for tests: Kamailio before two rtpengines and an Asterisk whose dialplan answers by itself.

The front end's part, the credentials of users, is played by a small server, so that a test can take it away.
"""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ari_bridge.accounts.sip_passwords import SipCredential
from deploy.demo.asterisk import CONFIGURATION
from deploy.demo.certificate import make as make_certificate
from deploy.demo.rtpengine import Rtpengine
from deploy.demo.sip_edge import SipEdge
from deploy.demo.steps import Steps
from tests.real import free_ports
from tests.real.parts import Pbx, new_pbx, new_rtpengine, require_installed

REALM = "ari-bridge"
TOKEN = "a-token-of-the-tests-0123456789abcdef"
TIMERS = """
[timers]
type = system
timer_t1 = {t1}
timer_b = {b}
"""
# 600 echo, 601 Milliwatt, 607 hangs up by itself, 608 takes three keys, 609 notes who calls; 91USER rings a phone.
DIALPLAN = """
[from-edge]
exten => 600,1,Answer()
 same => n,Echo()
exten => 601,1,Answer()
 same => n,Milliwatt()
exten => 603,1,Ringing()
 same => n,Wait(60)
exten => 604,1,Hangup(17)
exten => 607,1,Answer()
 same => n,Wait(1)
 same => n,Hangup()
exten => 608,1,Answer()
 same => n,Read(KEYS,,3,,1,8)
 same => n,Set(GLOBAL(KEYS_SEEN)=${{KEYS}})
 same => n,Wait(5)
exten => 609,1,Set(GLOBAL(USER_SEEN)=${{PJSIP_HEADER(read,X-Ari-Bridge-User)}})
 same => n,Set(GLOBAL(IDENTITY_SEEN)=${{PJSIP_HEADER(read,P-Asserted-Identity)}})
 same => n,Answer()
 same => n,Wait(5)
exten => _91.,1,Dial(PJSIP/edge/sip:${{EXTEN:2}}@{edge},20)
 same => n,Hangup(${{HANGUPCAUSE}})
exten => _92XXXX,1,Dial(PJSIP/edge/sip:${{EXTEN:2}}@{edge},20,G(talk^s^1))
"""


class Users:
    """The front end, as the edge sees it: healthy, with the SIP passwords `secret-NAME` of 1001 to 1009, bob, Bob."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # users that were asked for
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Says nothing."""

        self._handler = Handler
        self._server: ThreadingHTTPServer | None = None
        self.port = free_ports.ports(1)[0]

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        if path == "/health":
            return 200, b"{}"
        name = path.rpartition("/")[2]
        if authorization != f"Bearer {TOKEN}" or path != f"/sip-edge/credentials/{name}":
            return 401, b"{}"
        self.asked.append(name)
        if not re.fullmatch("100[1-9]|[Bb]ob", name):
            return 404, b"{}"
        made = SipCredential.of(name, REALM, f"secret-{name}")
        return 200, json.dumps({"user": name, "ha1": made.ha1, "ha1Sha256": made.ha1_sha256}).encode()

    def start(self) -> None:
        self._server = ThreadingHTTPServer((free_ports.HOST, self.port), self._handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@dataclass
class EdgeSite:
    """What stands around a call by the edge."""

    edge: SipEdge
    pbx: Pbx
    rtpengines: list[Rtpengine]
    users: Users
    tls_port: int

    @property
    def port(self) -> int:
        return self.edge.address[1]

    def port_of(self, transport: str) -> int:
        return self.tls_port if transport == "tls" else self.port


@contextmanager
def edge_site(folder: Path, version: str = "16", t1_ms: int = 500, **settings: str) -> Iterator[EdgeSite]:
    """All of it, running. `settings`: of the edge; `t1_ms`: Asterisk's T1 (RFC 3261 section 17.1.1.1)."""
    require_installed(shutil.which("kamailio") is not None, "Kamailio")
    port, tls_port, pbx_side, rpc = free_ports.ports(4)
    pbx = new_pbx(folder / "asterisk", version, _configuration(folder, f"127.0.0.2:{pbx_side}", t1_ms))
    make_certificate(folder / "certificate.pem", folder / "key.pem", free_ports.HOST, Steps(folder / "steps.log"))
    rtpengines = [new_rtpengine(folder / f"rtpengine-{number}") for number in (1, 2)]
    users = Users()
    told = {
        "SIP_EDGE_PBX": f"{free_ports.HOST}:{pbx.sip_port}",
        "FRONT_END_URL": f"http://{free_ports.HOST}:{users.port}",
        "RTPENGINE_NG": ",".join(each.ng_address for each in rtpengines),
        "SIP_REALM": REALM,
    }
    edge = SipEdge(
        folder,
        port=port,
        tls_port=tls_port,
        pbx_port=pbx_side,
        rpc_port=rpc,
        token=TOKEN,
        certificate=folder / "certificate.pem",
        key=folder / "key.pem",
        settings=told | settings,
    )
    with ExitStack() as stack:
        users.start()
        stack.callback(users.stop)
        for each in (*rtpengines, pbx.asterisk, edge):
            stack.enter_context(each)
        yield EdgeSite(edge, pbx, rtpengines, users, tls_port)


def _configuration(folder: Path, edge: str, t1_ms: int) -> Path:
    """The demo's, but that calls from the edge are answered by the dialplan."""
    made = folder / "asterisk-conf"
    shutil.copytree(CONFIGURATION, made)
    dialplan = (made / "extensions.conf").read_text()
    dialplan = re.sub(r"^\[from-edge\]\n.*?(?=^\[|\Z)", "", dialplan, flags=re.MULTILINE | re.DOTALL)
    (made / "extensions.conf").write_text(dialplan + DIALPLAN.format(edge=edge))
    endpoints = (made / "pjsip.conf").read_text()
    (made / "pjsip.conf").write_text(endpoints + TIMERS.format(t1=t1_ms, b=64 * t1_ms))
    return made
