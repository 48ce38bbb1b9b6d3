"""Runs a SIPp scenario of the project's own and tells what went wrong, from SIPp's own logs."""

import asyncio
import re
import shutil
import socket
from pathlib import Path

from deploy.demo.ports import Port, PortsTaken, require_free
from tests.real import free_ports
from tests.real.parts import require_installed

SCENARIOS = Path(__file__).parents[1] / "sipp" / "scenarios"
DEFAULTS: dict[str, str | int] = {"caller": "7001", "caller_name": "Desk phone", "identity": "X-Nobody: -"}


class ScenarioFailed(Exception):
    """SIPp ended with a failure: its status, its complaints, the SIP messages it saw."""

    def __init__(self, scenario: str, status: int | None, errors: str, messages: str) -> None:
        super().__init__(scenario, status)
        self.scenario = scenario
        self.status = status  # None: it did not end in time
        self.errors = errors
        self.messages = messages

    def __str__(self) -> str:
        how = "did not end in time" if self.status is None else f"ended with status {self.status}"
        return f"SIPp {self.scenario} {how}\n{self.errors[-1500:]}\nlast messages:\n{self.messages[-4000:]}"


class Sipp:
    """One run of `scenarios/NAME.xml`, as `async with`. Leaving it early ends SIPp.

    `to`: the port of the PBX (a caller), or None (it answers calls). `port`: its own SIP port, 0 for any.
    `calls` in all, at most `at_once` at a time. `user`: a caller who has signed in as this user at the SIP edge, which
    this SIPp is then. `keys`: values for `[NAME]` in the scenario. `seconds`: the longest that it may take.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        to: int | None = None,
        port: int = 0,
        number: str = "1001",
        calls: int = 1,
        at_once: int = 1,
        rtp_port: int = 0,
        tcp: bool = False,
        seconds: float = 30.0,
        user: str = "",
        **keys: str | int,
    ) -> None:
        require_installed(shutil.which("sipp") is not None, "SIPp")
        self.name = name
        self.port = port or free_ports.ports(1)[0]
        self._logs = folder / f"sipp-{name}-{self.port}"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._seconds = seconds
        self._answers = to is None
        self._process: asyncio.subprocess.Process | None = None
        self._command = ["sipp", "-sf", str(SCENARIOS / f"{name}.xml"), "-i", free_ports.HOST, "-p", str(self.port)]
        self._command += ["-m", str(calls), "-l", str(at_once), "-r", str(max(10, at_once)), "-s", number]
        self._command += ["-nostdin", "-trace_err", "-error_file", str(self._logs / "errors")]
        self._command += ["-trace_msg", "-message_file", str(self._logs / "messages")]
        self._command += ["-timeout", f"{seconds:.0f}s", "-timeout_error"]
        if tcp:
            self._command += ["-t", "t1"]
        if user:
            keys = {"identity": f"X-Ari-Bridge-User: {user}", "caller": user, **keys}
        for key, value in {"rtp_port": rtp_port or free_ports.ports(1)[0], **DEFAULTS, **keys}.items():
            self._command += ["-key", key, str(value)]
        if to is not None:
            self._command.append(f"{free_ports.HOST}:{to}")

    @property
    def messages(self) -> str:
        """All SIP messages that it sent and received so far."""
        return self._read("messages")

    async def saw(self, text: str, *, seconds: float = 5.0) -> None:
        """Waits until `text` stands in its messages. Raises ScenarioFailed."""
        try:
            async with asyncio.timeout(seconds):
                while text not in self.messages:  # noqa: ASYNC110  SIPp writes a file and tells nobody
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise ScenarioFailed(self.name, None, f"{text!r} was not seen", self.messages) from None

    async def tell(self) -> None:
        """Sends the INFO that a scenario waits for, once it has a call. SIPp knows that by its Call-ID.

        It takes over our tag. Raises ScenarioFailed where no call comes.
        """
        await self.saw("CSeq:")
        heard = self.messages.rpartition("message received")[2] or self.messages
        call_id, tag = _header(heard, "Call-ID"), _header(heard, "To" if "\nSIP/2.0" in heard else "From")
        party = f"<sip:test@{free_ports.HOST}>;{tag.partition('>;')[2]}"
        lines = [
            f"INFO sip:test@{free_ports.HOST}:{self.port} SIP/2.0",
            f"Via: SIP/2.0/UDP {free_ports.HOST}:9;branch=z9hG4bK-test",
            f"From: {party}",
            f"To: {party}",
            f"Call-ID: {call_id}",
            "CSeq: 1000 INFO",
            "Content-Length: 0",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto("\r\n".join([*lines, "", ""]).encode(), (free_ports.HOST, self.port))

    async def done(self) -> None:
        """Waits until it has ended, every call as the scenario says. Raises ScenarioFailed."""
        assert self._process
        try:
            async with asyncio.timeout(self._seconds + 5):
                status = await self._process.wait()
        except TimeoutError:
            raise self._failure(None) from None
        if status != 0:
            raise self._failure(status)

    async def __aenter__(self) -> "Sipp":
        with (self._logs / "screen").open("wb") as screen:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=screen, stderr=screen, cwd=self._logs
            )
        if self._answers:
            await self._listening()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._process
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _listening(self) -> None:
        """A call that comes before its port is open would be lost."""
        assert self._process
        async with asyncio.timeout(5):
            while self._process.returncode is None:
                try:
                    require_free([Port(free_ports.HOST, "udp", self.port, "SIPp")])
                except PortsTaken:
                    return
                await asyncio.sleep(0.01)

    def _failure(self, status: int | None) -> ScenarioFailed:
        return ScenarioFailed(self.name, status, self._read("errors") or self._read("screen"), self.messages)

    def _read(self, log: str) -> str:
        path = self._logs / log
        return path.read_text(errors="replace") if path.exists() else ""


def _header(messages: str, name: str) -> str:
    """The header's value in the last message that has one."""
    values: list[str] = re.findall(rf"^{name}: *(.*?)\r?$", messages, re.MULTILINE)
    return values[-1]
