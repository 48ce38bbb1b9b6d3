"""Runs a real rtpengine: userspace only, its NG port on loopback. Logs and pid file stand in its run folder."""

from __future__ import annotations

import configparser
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from deploy.demo import ports
from deploy.demo.process import Process, ProgramFailed, die_with_parent, unprivileged_user
from deploy.demo.program import Program

CONFIGURATION = Path(__file__).parents[2] / "rtpengine" / "rtpengine.conf"
PING = b"ping d7:command4:pinge"  # an NG message: cookie, bencoded dictionary


class Rtpengine(Program):
    """One rtpengine on `host`; media on the UDP ports `rtp_range` (first, last), NG commands on UDP `ng_port`.

    `ipv6`: a second address for media, for browsers that have no IPv4; "" for none. `also`: further ones, each
    `ADDRESS`, or `ADDRESS!ADVERTISED` behind a NAT.

    `ng_host` is where commands are taken: loopback, whatever `host` is, as whoever reaches the port rules the media.
    `name` tells several in one run folder apart, in messages and file names.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        ng_port: int,
        rtp_range: tuple[int, int],
        host: str = "127.0.0.1",
        ipv6: str = "",
        also: Sequence[str] = (),
        ng_host: str = "127.0.0.1",
        name: str = "rtpengine",
    ) -> None:
        super().__init__(name, run_dir / f"{name}.log")
        self.ng_address = f"{ng_host}:{ng_port}"  # "host:port"
        self._run_dir = run_dir
        self._hosts = [host, *([ipv6] if ipv6 else []), *also]
        self._ng = (ng_host, ng_port)
        self._rtp_range = rtp_range

    def launch(self) -> Process:
        ports.require_free([ports.Port(self._ng[0], "udp", self._ng[1], "rtpengine commands")])
        program = shutil.which("rtpengine")
        if program is None:
            raise ProgramFailed(self.name, "it is not installed (Debian package rtpengine-daemon)", self.log)
        self._run_dir.mkdir(parents=True, exist_ok=True)
        command = [
            program,
            "--config-file=none",
            *_options(CONFIGURATION),
            "--foreground",
            "--log-stderr",
            *(f"--interface={host}" for host in self._hosts),
            f"--listen-ng={self.ng_address}",
            f"--port-min={self._rtp_range[0]}",
            f"--port-max={self._rtp_range[1]}",
        ]
        again = self.process is not None
        self.stop()
        self.process = Process(
            self.name,
            die_with_parent(command, user=unprivileged_user("rtpengine")),
            log=self.log,
            pid_file=self._run_dir / f"{self.name}.pid",
            again=again,
        )
        return self.process

    def ready(self) -> bool:
        return self.answers()

    def ailment(self) -> str:
        return "" if self.answers() else f"no answer to a ping on {self.ng_address}"

    def answers(self, *, timeout: float = 0.2) -> bool:
        """True when a ping is answered within `timeout` seconds."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ng:
            ng.settimeout(timeout)
            try:
                ng.connect(self._ng)
                ng.send(PING)
                return b"pong" in ng.recv(1500)
            except OSError:
                return False


def loopback_ipv6() -> str:
    """`::1` where this machine has it, else ""."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ""
    return "::1"


def _options(configuration: Path) -> list[str]:
    """The file's settings as options: the unprivileged user may not be allowed into the folder that it stands in."""
    settings = configparser.ConfigParser()
    settings.read(configuration)
    return [f"--{name}={value}" for name, value in settings["rtpengine"].items()]
