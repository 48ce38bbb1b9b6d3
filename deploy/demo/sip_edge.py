"""Runs the SIP edge: Kamailio with the project's configuration, as a user of its own.

It has some forty processes, which do not notice when the first of them is killed: a process namespace ends them with
it. They see what they need of the demo's folder, which is private, at `INSIDE`.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.demo import ports
from deploy.demo.process import Process, ProgramFailed, die_with_parent, unprivileged_user
from deploy.demo.program import Program
from deploy.demo.settings import write_private

SOURCE = Path(__file__).parents[1] / "sip_edge"
PBX_SIDE = "127.0.0.2"
"""Where it speaks with Asterisk: not where clients reach it, so that nobody is taken for the other."""
INSIDE = "/mnt"
PORTS_SECONDS = 2.0
ENTER = """
mount --make-rprivate / 2>/dev/null
mount --bind "$1" "$2" || exit 1
shift 2
exec "$@"
"""
OPTIONS = (
    "OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKready;rport\r\n"
    "From: <sip:demo@{host}>;tag=ready\r\nTo: <sip:{host}:{port}>\r\nCall-ID: ready-{own}\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


class SipEdge(Program):
    """The SIP edge on `host`:`port`, UDP and TCP; with `certificate` and `key` also TLS on `tls_port`.

    `settings` are those of docs/DIRECT_SIP.md, on top of these. `token` is shared with the front end.
    """

    STOP_SECONDS = 0.5  # it keeps nothing that it would have to write

    def __init__(
        self,
        run_dir: Path,
        *,
        port: int,
        tls_port: int,
        pbx_port: int,
        rpc_port: int,
        token: str,
        host: str = "127.0.0.1",
        certificate: Path | None = None,
        key: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("SIP edge", run_dir / "sip-edge.log")
        self.home = run_dir.resolve() / "sip-edge"
        self.address = (host, port)
        self.rpc_url = f"http://127.0.0.1:{rpc_port}/RPC"
        self.pbx_side = f"{PBX_SIDE}:{pbx_port}"
        self._run_dir = run_dir
        self._token = token
        self._files = {"kamailio.cfg": SOURCE / "kamailio.cfg", "start.sh": SOURCE / "start.sh"}
        self._environment = {
            "SIP_HOST": host,
            "SIP_PORT": str(port),
            "SIP_TLS_PORT": str(tls_port),
            "SIP_EDGE_PBX_SOCKET": self.pbx_side,
            "SIP_EDGE_RPC_PORT": str(rpc_port),
            "SIP_EDGE_RUN_DIR": INSIDE,
            "SIP_EDGE_TOKEN_FILE": f"{INSIDE}/token",
            **(settings or {}),
        }
        self._wanted = [
            ports.Port(host, "udp", port, "SIP"),
            ports.Port(host, "tcp", port, "SIP"),
            ports.Port(PBX_SIDE, "udp", pbx_port, "SIP edge, to Asterisk"),
            ports.Port("127.0.0.1", "tcp", rpc_port, "SIP edge, commands"),
        ]
        if certificate and key:
            self._files |= {"certificate.pem": certificate, "key.pem": key}
            self._environment |= {"TLS_CERT": f"{INSIDE}/certificate.pem", "TLS_KEY": f"{INSIDE}/key.pem"}
            self._wanted.append(ports.Port(host, "tcp", tls_port, "SIP over TLS"))

    def launch(self) -> Process:
        again = self.process is not None
        self.stop()
        self._wait_for_ports()
        if shutil.which("kamailio") is None:
            raise ProgramFailed(self.name, "it is not installed (Debian package kamailio)", self.log)
        user = unprivileged_user("kamailio")
        self._write_home(user)
        program = die_with_parent(["sh", f"{INSIDE}/start.sh"], user=user)
        enter = ["sh", "-c", ENTER, "enter", str(self.home), INSIDE, *program]
        # In a process namespace the first one's end is the end of all.
        command = ["unshare", "--mount", "--pid", "--fork", "--propagation", "unchanged", "--", *enter]
        self.process = Process(
            self.name,
            die_with_parent(command),
            log=self.log,
            pid_file=self._run_dir / "sip-edge.pid",
            env={"PATH": os.environ.get("PATH", os.defpath), **self._environment},
            again=again,
        )
        return self.process

    def ready(self) -> bool:
        """True when it answers, be it that something else is missing."""
        return bool(self._options())

    def ailment(self) -> str:
        """Healthy is what would take a call: Asterisk and the front end are reached too."""
        answer = self._options()
        return (
            "" if answer.startswith("SIP/2.0 200") else f"OPTIONS: {answer.splitlines()[0] if answer else 'no answer'}"
        )

    def _wait_for_ports(self) -> None:
        """The last of its processes is gone a moment after the first. Raises `PortsTaken`."""
        end = time.monotonic() + PORTS_SECONDS
        while True:
            try:
                return ports.require_free(self._wanted)
            except ports.PortsTaken:
                if time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def _options(self) -> str:
        """What it answers to OPTIONS; "" for nothing."""
        host, port = self.address
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.5)
            try:
                probe.connect((host, port))
                own = "{}:{}".format(*probe.getsockname()[:2])
                probe.send(OPTIONS.format(host=host, port=port, own=own).encode())
                return probe.recv(4000).decode(errors="replace")
            except OSError:
                return ""

    def _write_home(self, user: tuple[int, int] | None) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        for name, source in self._files.items():
            write_private(self.home / name, source.read_text())
        write_private(self.home / "token", self._token)
        if user:
            for path in (self.home, *self.home.iterdir()):
                os.chown(path, *user)
