"""A machine with an Asterisk of its own, as somebody has it who reads the README: plain Debian 11, two desk phones.

`own_network` gives the test's thread a network of its own, so that everything may have the ports that the documents
say. `Machine` runs what they say, in one shell, word by word: only the folders are others, and what belongs to a whole
machine (apt-get, useradd, systemctl and the like) is stood in for.
"""

import asyncio
import contextlib
import ctypes
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.demo import rootfs
from deploy.demo.process import Process, ProgramFailed, die_with_parent
from tests.real.parts import require_installed

PROJECT = Path(__file__).parents[2]
ADDRESS = "192.0.2.10"
"""The machine's, in the documents as here."""
PHONES = {"201": 5071, "202": 5072}
"""The desk phones, and the ports that they answer on."""
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_MACHINES_NETWORK = "MACHINES_NETWORK"
"""In the environment: the network that has been left, for what installs something."""

# As a PBX has it that was there before: two phones on chan_sip, which dial each other.
_SIP = """
[{number}]
type = friend
host = 127.0.0.1
port = {port}
context = internal
disallow = all
allow = ulaw
directmedia = no
qualify = no
"""
_DIALPLAN = """
[internal]
exten => _20[12],1,Dial(SIP/${EXTEN},20)
 same => n,Hangup()
"""
# Debian's tree is only read: what Asterisk writes is in folders of the test, which this process tree alone sees there.
_ENTER = """
mount --make-rprivate / 2>/dev/null
root=$1; home=$2; shift 2
mount --rbind /proc "$root/proc" || exit 1
for folder in etc/asterisk var/lib/asterisk var/spool/asterisk var/log/asterisk; do
  mount --bind "$home/$folder" "$root/$folder" || exit 1
done
for folder in run tmp; do mount -t tmpfs tmpfs "$root/$folder" || exit 1; done
mkdir "$root/run/asterisk"
exec chroot "$root" "$@"
"""
# What stands in for a whole machine's programs. They note how they were called; `systemctl` is then carried out.
_NOTED = '#!/bin/sh\necho "$(basename "$0") $*" >>"{calls}"\n'
_STAND_INS = ("apt-get", "git", "useradd", "chown", "systemctl")


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """While open, this thread and what it starts are in a network of loopback alone, with `ADDRESS` on it."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if libc.unshare(_NEW_NETWORK) != 0:
        os.close(before)
        raise OSError(ctypes.get_errno(), "no network of its own for the test: this needs root")
    os.environ[_MACHINES_NETWORK] = f"/proc/{os.getpid()}/fd/{before}"
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
        yield
    finally:
        if libc.setns(before, _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "the thread is not back in its network")
        del os.environ[_MACHINES_NETWORK]
        os.close(before)


class Machine:
    """`home` has what the documents put elsewhere. Use as `async with`."""

    def __init__(self, home: Path) -> None:
        root = rootfs.find("16")
        require_installed(root is not None, "Asterisk 16")
        require_installed(shutil.which("rtpengine") is not None, "rtpengine")
        assert root
        self.home = home
        self.root = root
        self.said = ""  # all that the commands printed
        self._calls = home / "calls"
        self._asterisk: Process | None = None
        self._services: dict[str, Process] = {}
        self._shell: asyncio.subprocess.Process | None = None

    @property
    def state(self) -> Path:
        """What the documents call /var/lib/ari-bridge."""
        return self.home / "var/lib/ari-bridge"

    @property
    def called(self) -> list[str]:
        """How the programs were called that are stood in for."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def log(self, service: str) -> str:
        return (self.home / f"{service}.log").read_text(errors="replace")

    def cli(self, command: str) -> str:
        """What Asterisk's console prints."""
        program = [str(self.home / "bin/asterisk"), "-rx", command]
        return subprocess.run(program, capture_output=True, text=True, timeout=20, check=True).stdout

    async def run(self, commands: str) -> str:
        """Runs them in the machine's one shell; what they print. Fails with it where one of them fails."""
        assert self._shell and self._shell.stdin and self._shell.stdout
        before = len(self.called)
        self._shell.stdin.write(f"{self.put(commands)}\necho; echo '--- done'\n".encode())
        said: list[str] = []
        async with asyncio.timeout(120):
            while line := (await self._shell.stdout.readline()).decode():
                if line == "--- done\n":
                    break
                said.append(line)
            else:
                raise AssertionError(f"it failed:\n{commands}\nand said:\n{''.join(said)}")
        self.said += "".join(said)
        for call in self.called[before:]:
            if call.startswith("systemctl "):
                self._systemctl(call.split()[1:])
        return "".join(said)

    def put(self, text: str) -> str:
        """With the folders of this machine in the place of those in the documents."""
        text = text.replace("/opt/ari-bridge", str(PROJECT)).replace("/var/lib/ari-bridge", str(self.state))
        return re.sub(r"(?<![\w/.])/(?=etc/(asterisk|rtpengine|systemd)/|usr/local/sbin/)", f"{self.home}/", text)

    async def __aenter__(self) -> "Machine":
        for folder in ("etc/asterisk", "var/lib/asterisk", "var/spool/asterisk", "var/log/asterisk"):
            shutil.copytree(self.root / folder, self.home / folder, symlinks=True)
        for folder in ("etc/rtpengine", "etc/systemd/system", "usr/local/sbin", "var/lib", "bin"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        with (self.home / "etc/asterisk/sip.conf").open("a") as file:
            file.writelines(_SIP.format(number=number, port=port) for number, port in PHONES.items())
        with (self.home / "etc/asterisk/extensions.conf").open("a") as file:
            file.write(_DIALPLAN)
        enter = ["unshare", "--mount", "bash", "-c", _ENTER, "enter", str(self.root), str(self.home)]
        command = die_with_parent([*enter, "/usr/sbin/asterisk", "-f", "-n"])
        self._asterisk = self._start("asterisk", command)
        for name in _STAND_INS:
            self._program(name, _NOTED.format(calls=self._calls))
        network = os.environ[_MACHINES_NETWORK]
        self._program(
            "make", f'#!/bin/sh\nHOME={Path.home()} exec nsenter --net={network} {shutil.which("make")} "$@"\n'
        )
        inside = f"nsenter --target {self._asterisk.pid} --mount chroot {shlex.quote(str(self.root))}"
        self._program("asterisk", f'#!/bin/sh\nexec {inside} /usr/sbin/asterisk "$@"\n')
        await self._until_booted()
        environment = {"PATH": f"{self.home / 'bin'}:{os.environ['PATH']}", "HOME": str(self.home)}
        self._shell = await asyncio.create_subprocess_exec(
            *("bash", "-eu", "-o", "pipefail"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            cwd=self.home,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._shell:
            if self._shell.returncode is None:
                self._shell.kill()
            await self._shell.communicate()
        for process in [*self._services.values(), *filter(None, [self._asterisk])]:
            process.stop()

    # --- systemd, as far as it is asked ------------------------------------------------

    def _systemctl(self, arguments: list[str]) -> None:
        match arguments:
            case ["daemon-reload"]:
                pass
            case ["enable", "--now", service] | ["restart", service]:
                if running := self._services.pop(service, None):
                    running.stop(patience=15)
                self._services[service] = self._start(service, self._command(service), self._folder(service))
                self._wait_for(service)
            case ["reload", service]:
                # ExecReload
                assert self._unit(service, "ExecReload") == "/bin/kill -HUP $MAINPID"
                os.kill(self._services[service].pid, signal.SIGHUP)
            case _:
                raise AssertionError(f"systemctl {' '.join(arguments)} is not stood in for")

    def _unit(self, service: str, key: str) -> str:
        unit = self.put((self.home / "etc/systemd/system" / f"{service}.service").read_text())
        [value] = re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)
        return str(value)

    def _command(self, service: str) -> list[str]:
        if service == "rtpengine-daemon":  # as Debian's unit has it
            configuration = self.home / "etc/rtpengine/rtpengine.conf"
            return ["rtpengine", "--foreground", "--log-stderr", "--config-file", str(configuration)]
        return self._unit(service, "ExecStart").split()

    def _folder(self, service: str) -> Path:
        return self.home if service == "rtpengine-daemon" else Path(self._unit(service, "WorkingDirectory"))

    def _wait_for(self, service: str) -> None:
        kind, port = (socket.SOCK_DGRAM, 2223) if service == "rtpengine-daemon" else (socket.SOCK_STREAM, 3000)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            self._services[service].require_running()
            with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as client:
                client.settimeout(0.2)
                client.connect(("127.0.0.1", port))
                if kind is socket.SOCK_STREAM:
                    return
                client.send(b"ping d7:command4:pinge")
                client.recv(1500)
                return
            time.sleep(0.05)
        raise ProgramFailed(service, "it does not answer", self.home / f"{service}.log")

    def _start(self, name: str, command: list[str], folder: Path | None = None) -> Process:
        pid_file = self.home / f"{name}.pid"
        if folder:
            command = ["env", f"--chdir={folder}", "-i", f"PATH={os.environ['PATH']}", *command]
        if command[0] != "setpriv":
            command = die_with_parent(command)
        log = self.home / f"{name}.log"
        return Process(name, command, log=log, pid_file=pid_file, again=log.exists())

    def _program(self, name: str, text: str) -> None:
        path = self.home / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    async def _until_booted(self) -> None:
        assert self._asterisk
        async with asyncio.timeout(60):
            while True:
                self._asterisk.require_running()
                with contextlib.suppress(subprocess.SubprocessError):
                    if "fully booted" in self.cli("core waitfullybooted"):
                        return
                await asyncio.sleep(0.2)
