"""A real TURN server (coturn) on loopback, with a secret of its own."""

import contextlib
import secrets
import shutil
import socket
import time
from pathlib import Path

from deploy.demo.process import Process, ProgramFailed, die_with_parent
from tests.real import free_ports
from tests.real.parts import require_installed

HOST = "127.0.0.1"
REALM = "example.com"
BINDING_REQUEST = bytes.fromhex("000100002112a442") + b"is it there?"  # STUN: no attributes, a transaction id


class Turn:
    """coturn on `port` (UDP and TCP), relaying from ports of `relays`; lets in whoever was given credentials.

    `secret`: what the credentials are made of (its `static-auth-secret`).
    """

    def __init__(self, run_dir: Path) -> None:
        require_installed(shutil.which("turnserver") is not None, "coturn")
        [self.port] = free_ports.ports(1)
        self.relays = free_ports.rtp_range(100)
        self.secret = secrets.token_hex(16)
        self.log = run_dir / "turn.log"
        self._run_dir = run_dir
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """For `ICE_SERVERS`, over UDP."""
        return f"turn:{HOST}:{self.port}?transport=udp"

    @property
    def stun_url(self) -> str:
        return f"stun:{HOST}:{self.port}"

    def said(self, words: str) -> list[str]:
        """The lines of its log that have these words."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if words in line]

    def __enter__(self) -> "Turn":
        self._run_dir.mkdir(parents=True, exist_ok=True)
        command = [
            "turnserver",
            "-n",  # no configuration file
            f"--listening-ip={HOST}",
            f"--listening-port={self.port}",
            f"--relay-ip={HOST}",
            f"--min-port={self.relays[0]}",
            f"--max-port={self.relays[1]}",
            "--use-auth-secret",
            f"--static-auth-secret={self.secret}",
            f"--realm={REALM}",
            "--allow-loopback-peers",  # rtpengine is on this machine; never so on a server that others reach
            "--no-cli",
            "--no-tls",
            "--no-dtls",
            "--verbose",
            "--log-file=stdout",
            f"--userdb={self._run_dir / 'turn.sqlite'}",
            f"--pidfile={self._run_dir / 'turnserver.pid'}",
        ]
        self._process = Process("coturn", die_with_parent(command), log=self.log, pid_file=self._run_dir / "turn.pid")
        try:
            self._wait_until_it_answers(10.0)
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._process:
            self._process.stop()

    def _wait_until_it_answers(self, seconds: float) -> None:
        assert self._process
        end = time.monotonic() + seconds
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.1)
            client.connect((HOST, self.port))
            while time.monotonic() < end:
                self._process.require_running()
                with contextlib.suppress(OSError):
                    client.send(BINDING_REQUEST)
                    if client.recv(1500)[8:20] == BINDING_REQUEST[8:]:
                        return
                    continue
                time.sleep(0.05)
        raise ProgramFailed("coturn", f"no answer on {HOST}:{self.port} within {seconds:.0f} s", self.log)
