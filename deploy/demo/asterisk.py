"""Runs a real Asterisk with the demo's dialplan, in a folder of its own, so that several run side by side.

The program comes from a root folder that all instances share (see `rootfs.py`) and is only read. What an instance
writes (configuration, logs, recordings, control socket) stands in `run_dir/asterisk`, which appears inside the root
folder at `INSIDE` by a mount that this process tree alone sees: nothing is left behind, however it ends.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy.demo import music, ports, rootfs
from deploy.demo.process import Process, ProgramFailed, die_with_parent, last_line
from deploy.demo.program import Program
from deploy.demo.settings import write_private

CONFIGURATION = Path(__file__).parents[2] / "asterisk-conf" / "demo"
INSIDE = "/mnt"
# The mounts are ours alone. (In a chroot `/` is no mount, and cannot be told so: who made the chroot has seen to it.)
# Also lends the machine's names to the root folder: a look-up of our own host name must not wait on a far DNS server.
ENTER = """
mount --make-rprivate / 2>/dev/null
mount --bind "$1" "$2/$3" && mount --rbind /proc "$2/proc" || exit 1
for names in /etc/hosts /etc/resolv.conf; do
  if [ "$2" != / ] && [ -e "$names" ]; then
    [ -e "$2$names" ] || : >"$2$names"
    mount --bind "$names" "$2$names" || exit 1
  fi
done
root=$2; shift 3
exec chroot "$root" "$@"
"""
PLACEHOLDER = re.compile(r"@([A-Z_]+)@")


class Asterisk(Program):
    """One Asterisk: ARI on `ari_port`, SIP (UDP and TCP) on `sip_port`, 7xxx calls to `trunk_port`, all on `host`.

    `rtp_range` is the first and last UDP port of its media; `version` is "16" or "22". `mailboxes`: the PINs of the
    voicemail boxes, by their numbers. `configuration`: the folder of its .conf files.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        ari_port: int,
        sip_port: int,
        trunk_port: int,
        rtp_range: tuple[int, int],
        app: str = "ari-bridge",
        version: str = "16",
        host: str = "127.0.0.1",
        ari_user: str = "ari-bridge",
        ari_password: str | None = None,
        mailboxes: Mapping[str, str] | None = None,
        configuration: Path = CONFIGURATION,
    ) -> None:
        super().__init__("Asterisk", run_dir.resolve() / "asterisk" / "log" / "messages")
        self.ari_url = f"http://{host}:{ari_port}/ari"
        self.ari_user = ari_user
        self.ari_password = ari_password or secrets.token_urlsafe(24)
        self.version = version
        self.home = run_dir.resolve() / "asterisk"
        self.recordings = self.home / "spool" / "recording"  # ARI's recordings, as NAME.wav and the like
        self._run_dir = run_dir
        self._configuration = configuration
        self._wanted = [
            ports.Port(host, "tcp", ari_port, "ARI"),
            ports.Port(host, "udp", sip_port, "SIP"),
            ports.Port(host, "tcp", sip_port, "SIP"),
        ]
        self._settings = {
            "RUN": INSIDE,
            "HOST": host,
            "ARI_PORT": str(ari_port),
            "ARI_USER": ari_user,
            "ARI_PASSWORD": self.ari_password,
            "APP": app,
            "SIP_PORT": str(sip_port),
            "TRUNK_PORT": str(trunk_port),
            "RTP_START": str(rtp_range[0]),
            "RTP_END": str(rtp_range[1]),
            "MAILBOXES": "\n".join(f"{number} => {pin},{number}" for number, pin in (mailboxes or {}).items()),
        }
        self._root: Path | None = None

    @property
    def root(self) -> Path:
        """The root folder of the program. Raises `ProgramFailed` when no Asterisk of this version is installed."""
        if self._root is None:
            self._root = rootfs.find(self.version)
        if self._root is None:
            raise ProgramFailed("Asterisk", f"Asterisk {self.version} is not installed (`make demo` does it)", self.log)
        return self._root

    def launch(self) -> Process:
        ports.require_free(self._wanted)
        again = self.process is not None
        self.stop()
        if not again:
            self.log.unlink(missing_ok=True)
        user = _user_of(self.root)
        self._write_home(user)
        command = self._inside("asterisk", "-f", "-n", "-C", f"{INSIDE}/etc/asterisk.conf", user=user)
        console = self.home / "log" / "console"
        pid_file = self._run_dir / "asterisk.pid"
        self.process = Process(self.name, command, log=console, pid_file=pid_file, again=again)
        return self.process

    def cli(self, command: str, *, timeout: float = 20.0) -> str:
        """What the Asterisk console prints for `command`.

        Raises `subprocess.CalledProcessError` when it is not up, `TimeoutExpired` after `timeout` seconds.
        """
        answer = subprocess.run(
            self._inside("asterisk", "-C", f"{INSIDE}/etc/asterisk.conf", "-rx", command, user=_user_of(self.root)),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
        return answer.stdout

    def ready(self) -> bool:
        """True when it answers ARI and is fully booted: ARI answers a little before SIP and the dialplan are loaded."""
        try:
            return self.answers() and "fully booted" in self.cli("core waitfullybooted", timeout=5.0)
        except (subprocess.SubprocessError, OSError):
            return False

    def ailment(self) -> str:
        """Also what it says on its console."""
        if self.ready():
            return ""
        said = last_line(self.process.log) if self.process else "not running"
        return f"no answer from {self.ari_url} ({said})"

    def answers(self, *, timeout: float = 1.0) -> bool:
        """True when ARI answers with this instance's user and password."""
        request = urllib.request.Request(f"{self.ari_url}/asterisk/info?only=status")
        secret = base64.b64encode(f"{self.ari_user}:{self.ari_password}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=timeout) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _inside(self, program: str, *arguments: str, user: tuple[int, int]) -> list[str]:
        """A command in the root folder, with this instance's home mounted in it, as the unprivileged `user`."""
        wrapped = die_with_parent([f"/usr/sbin/{program}", *arguments], user=user)
        enter = ["sh", "-c", ENTER, "enter", str(self.home), str(self.root), INSIDE]
        return ["unshare", "--mount", "--propagation", "unchanged", "--", *enter, *wrapped]

    def _write_home(self, user: tuple[int, int]) -> None:
        spool = ("spool/recording", "spool/monitor", "spool/voicemail")
        for folder in ("etc", "lib/sounds", "lib/moh", "log", "run", *spool):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        for source in self._configuration.glob("*.conf"):
            # Never readable by others: ari.conf holds the password.
            text = PLACEHOLDER.sub(lambda match: self._settings[match.group(1)], source.read_text())
            write_private(self.home / "etc" / source.name, text)
        song = self.home / "lib" / "sounds" / "music.wav"
        music.write(song)
        shutil.copyfile(song, self.home / "lib" / "moh" / "music.wav")  # as music on hold
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, *user, follow_symlinks=False)


def _user_of(root: Path) -> tuple[int, int]:
    """(uid, gid) of the package's own user in that tree."""
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == "asterisk":
            return int(fields[2]), int(fields[3])
    return 65534, 65534  # nobody, nogroup
