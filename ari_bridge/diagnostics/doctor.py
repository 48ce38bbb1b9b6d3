"""Checks of what a call needs, one by one, each with a cure.

Every check stands for itself and speaks to the peers in the plainest way, because
the doctor is asked when the clients of `ari` and `media` cannot start.
"""

import asyncio
import datetime
import secrets
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import aiohttp

from ari_bridge.ari.channel_wakeup import needs_wakeup
from ari_bridge.ari.client import Ari
from ari_bridge.ari.readiness import CONTEXT_CURE, MARK, MEDIA_CURE
from ari_bridge.errors import PeerError
from ari_bridge.media.bencode import Value
from ari_bridge.media.ng import NgClient
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.net import RtpAddress

CHECK_TIMEOUT_S = 5.0
"""For each request of a check."""
MIN_FREE_BYTES = 500 * 1024 * 1024

MODULES = {
    "res_ari_channels": "ARI's commands on channels",
    "res_ari_bridges": "ARI's commands on bridges",
    "res_ari_events": "ARI's event stream",
    "res_ari_applications": "ARI's view of applications",
    "res_http_websocket": "the event stream's WebSocket",
    "app_stasis": "Stasis() in the dialplan, for incoming calls",
    "chan_rtp": "external media",
    "res_rtp_asterisk": "RTP",
    "codec_ulaw": "PCMU",
    "bridge_simple": "bridges of two",
    "func_timeout": "waking silent channels of an older Asterisk",
    "func_callerid": "showing the caller's number",
}


class Result(Enum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"  # what it needs has failed already


@dataclass(frozen=True)
class Finding:
    """`seen`: what was found. `cure`: what to do, "" where nothing is needed."""

    check: str
    result: Result
    seen: str
    cure: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is examined: the addresses and files that the server is given."""

    ari_url: str
    ari_user: str
    ari_password: str
    ari_app: str
    rtpengine_ng: tuple[NodeAddress, ...]
    dial_context: str = ""  # in which calls begin; "": in none
    users: tuple[str, ...] = ()  # who may sign in
    authentication: bool = False
    http_host: str = "0.0.0.0"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    data_folder: Path = Path(".")


class Unwell(Exception):
    """A check has failed: what was seen, and the cure."""

    def __init__(self, seen: str, cure: str) -> None:
        super().__init__(seen)
        self.cure = cure


async def examine(subject: Subject) -> list[Finding]:
    """Every check, in an order in which the first failure explains those after it."""
    doctor = _Doctor(subject)
    findings: list[Finding] = []
    failed: set[str] = set()
    for name, needs, check in doctor.checks():
        if missing := failed & needs:
            findings.append(Finding(name, Result.SKIPPED, f"needs: {', '.join(sorted(missing))}"))
            failed.add(name)
            continue
        try:
            async with asyncio.timeout(4 * CHECK_TIMEOUT_S):
                seen, warning = await check()
        except Unwell as unwell:
            findings.append(Finding(name, Result.FAILED, str(unwell), unwell.cure))
            failed.add(name)
        except (PeerError, TimeoutError, OSError, aiohttp.ClientError) as error:
            seen = str(error) or "no answer in time"
            findings.append(Finding(name, Result.FAILED, seen, "See Asterisk's and rtpengine's own logs."))
            failed.add(name)
        else:
            findings.append(Finding(name, Result.WARNING if warning else Result.OK, seen, warning))
    return findings


Check = Callable[[], Awaitable[tuple[str, str]]]  # what was seen, and a warning or ""

ADDRESS, CREDENTIALS, STREAM = "ARI address", "ARI credentials", "event stream"


class _Doctor:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._url = subject.ari_url.rstrip("/")

    def checks(self) -> list[tuple[str, set[str], Check]]:
        return [
            (ADDRESS, set(), self._address),
            (CREDENTIALS, {ADDRESS}, self._credentials),
            ("Asterisk version", {CREDENTIALS}, self._version),
            ("Asterisk modules", {CREDENTIALS}, self._modules),
            (STREAM, {CREDENTIALS}, self._stream),
            ("external media", {STREAM}, self._external_media),
            ("dialplan", {"external media"}, self._dialplan),
            ("users", set(), self._users),
            ("address", set(), self._listening),
            *(check for node in self._subject.rtpengine_ng for check in self._of_node(node)),
            ("TLS files", set(), self._tls),
            ("free disk", set(), self._disk),
        ]

    # --- Asterisk ---------------------------------------------------------------------

    @asynccontextmanager
    async def _get(self, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Authorization": aiohttp.encode_basic_auth(self._subject.ari_user, self._subject.ari_password)}
        timeout = aiohttp.ClientTimeout(total=CHECK_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            async with session.get(f"{self._url}{path}") as response:
                yield response

    async def _address(self) -> tuple[str, str]:
        try:
            async with self._get("/asterisk/info") as response:
                server = response.headers.get("Server", "no name")
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unwell(
                f"{self._url} does not answer: {error or 'no answer in time'}",
                "Is Asterisk running? http.conf: enabled = yes, bindaddr and bindport as in ARI_URL, "
                "which ends in /ari.",
            ) from error
        if status == 404:
            raise Unwell(
                f"{self._url} answers ({server}), but there is no ARI",
                "ari.conf: [general] enabled = yes; load res_ari. A `prefix` in http.conf belongs into ARI_URL.",
            )
        return f"{self._url} answers ({server})", ""

    async def _credentials(self) -> tuple[str, str]:
        user = self._subject.ari_user
        async with self._get("/asterisk/info") as response:
            if response.status in (401, 403):
                raise Unwell(
                    f"Asterisk does not take user {user} with this password ({response.status})",
                    f"ari.conf: a section [{user}] with type = user, read_only = no and the password of ARI_PASSWORD; "
                    "then `module reload res_ari`.",
                )
            if response.status != 200:
                raise Unwell(f"Asterisk answers {response.status}", "See Asterisk's log.")
        host = self._url.split("//", 1)[-1].split("/", 1)[0].rpartition(":")[0]
        if self._url.startswith("http://") and host not in ("127.0.0.1", "localhost", "[::1]"):
            return f"user {user} is let in", f"The password crosses the network to {host} in clear: use https or a VPN."
        return f"user {user} is let in", ""

    async def _version(self) -> tuple[str, str]:
        async with self._get("/asterisk/info") as response:
            version = str((await response.json()).get("system", {}).get("version", ""))
        major = version.split(".")[0]
        if not major.isdigit():
            return f"{version!r} cannot be read", "Asterisk 16 or newer is needed."
        if int(major) < 16:
            raise Unwell(f"Asterisk {version}", "External media came with Asterisk 16.6: upgrade.")
        woken = ", silent channels are woken" if needs_wakeup(version) else ""
        return f"Asterisk {version}{woken}", ""

    async def _modules(self) -> tuple[str, str]:
        async with self._get("/asterisk/modules") as response:
            if response.status != 200:
                return f"Asterisk does not list its modules ({response.status})", "ari.conf: load res_ari_asterisk."
            modules = await response.json()
        running = {module["name"].removesuffix(".so") for module in modules if module.get("status") == "Running"}
        missing = {name: purpose for name, purpose in MODULES.items() if name not in running}
        if missing:
            lines = ", ".join(f"{name} ({purpose})" for name, purpose in missing.items())
            loads = "; ".join(f"load => {name}.so" for name in missing)
            now = "; ".join(f"asterisk -rx 'module load {name}.so'" for name in missing)
            raise Unwell(f"not loaded: {lines}", f"{now} (no call ends by it). To keep it so, modules.conf: {loads}")
        return f"all {len(MODULES)} are loaded", ""

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Ari]:
        """A client with an application of its own, so that the real one is not taken over."""
        subject = self._subject
        app = f"{subject.ari_app}-doctor-{secrets.token_hex(4)}"
        ari = Ari(subject.ari_url, subject.ari_user, subject.ari_password, app, timeout=CHECK_TIMEOUT_S)
        up = asyncio.Event()

        async def connected() -> None:
            up.set()

        ari.on_connect(connected)
        await ari.start()
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await up.wait()
            yield ari
        except TimeoutError:
            raise Unwell(
                f"the event stream does not open: {ari.failure or 'no answer in time'}",
                "modules.conf: load res_http_websocket and res_ari_events. A proxy must pass WebSockets.",
            ) from None
        finally:
            await ari.close()

    async def _stream(self) -> tuple[str, str]:
        async with self._connected():
            return "it opens", ""

    async def _external_media(self) -> tuple[str, str]:
        async with self._connected() as ari:
            channel = f"doctor{secrets.token_hex(6)}-em"
            try:
                address = await ari.channels.external_media(channel, RtpAddress("127.0.0.1", 9))
            except PeerError as error:
                cure = f"{MEDIA_CURE}; codec_ulaw too. With a restart pending: `core abort shutdown`."
                raise Unwell(str(error), cure) from error
            finally:
                await ari.channels.hangup(channel)
        if address.host in ("0.0.0.0", "::"):
            return (
                f"Asterisk receives at {address}",
                "That is no address to send to: set the host's name in /etc/hosts.",
            )
        return f"Asterisk receives at {address}", ""

    async def _dialplan(self) -> tuple[str, str]:
        """The context that calls from pages begin in, and the extensions by which they reach each other."""
        subject = self._subject
        context = subject.dial_context
        if not context:
            return "calls go to a SIP server, past the dialplan", ""
        async with self._connected() as ari:
            channel = f"{MARK}-{secrets.token_hex(8)}"
            await ari.channels.external_media(channel, RtpAddress("127.0.0.1", 9))
            try:
                if not await ari.channels.context_exists(channel, context):
                    raise Unwell(f"there is no context {context}, in which calls begin", f"{CONTEXT_CURE}.")
                ask = ari.channels.context_exists
                unknown = [user for user in subject.users if not await ask(channel, f"{context},{user},1")]
            finally:
                await ari.channels.hangup(channel)
        if unknown:
            return (
                f"{context} has no extension for {', '.join(unknown[:5])}: nobody can call them",
                f"extensions.conf: exten => {unknown[0]},1,Stasis({subject.ari_app},inbound,${{EXTEN}}), and for "
                "callers from outside the same in theirs; then `asterisk -rx 'dialplan reload'`, which ends no call.",
            )
        return f"there is a context {context}", ""

    # --- users, and where they come to ---------------------------------------------------

    async def _users(self) -> tuple[str, str]:
        subject = self._subject
        if not subject.authentication:
            return "sign-in is off: anybody may call as anybody", ""
        if not subject.users:
            raise Unwell("there are no users: nobody can sign in", "`ari-bridge user add NAME`; no restart is needed.")
        return f"{len(subject.users)} may sign in", ""

    async def _listening(self) -> tuple[str, str]:
        host = self._subject.http_host
        if host in ("127.0.0.1", "localhost", "::1"):
            return (
                f"the pages are served at {host}: nobody but this machine reaches them",
                "HTTP_HOST=0.0.0.0 with TLS_CERT and TLS_KEY, or a proxy here that has a certificate. A restart of "
                "this server ends no call.",
            )
        if not self._subject.tls_cert:
            return f"the pages are served at {host} without TLS", "Browsers give the microphone to https pages alone."
        return f"the pages are served at {host}", ""

    # --- rtpengine ---------------------------------------------------------------------

    def _of_node(self, node: NodeAddress) -> list[tuple[str, set[str], Check]]:
        several = len(self._subject.rtpengine_ng) > 1
        ping, ports = (f"rtpengine {node}", f"rtpengine ports {node}") if several else ("rtpengine", "rtpengine ports")
        return [(ping, set(), lambda: self._ping(node)), (ports, {ping}, lambda: self._ports(node))]

    @asynccontextmanager
    async def _ng(self, node: NodeAddress) -> AsyncIterator[NgClient]:
        client = NgClient(node.host, node.port, timeout=CHECK_TIMEOUT_S / 2)
        await client.open()
        try:
            yield client
        finally:
            await client.close()

    async def _ping(self, node: NodeAddress) -> tuple[str, str]:
        try:
            async with self._ng(node) as client:
                await client.command("ping")
        except PeerError as error:
            raise Unwell(
                str(error),
                "Is rtpengine running? Its `listen-ng` must be as in RTPENGINE_NG (UDP), and no firewall between.",
            ) from error
        return f"{node} answers", ""

    async def _ports(self, node: NodeAddress) -> tuple[str, str]:
        """Makes a real session, and sees which address and port it gets."""
        call_id = f"doctor{secrets.token_hex(6)}"
        offer: dict[str, Value] = {"call-id": call_id, "from-tag": "doctor", "sdp": _OFFER, "ICE": "remove"}
        delete: dict[str, Value] = {"call-id": call_id, "delete-delay": 0}
        async with self._ng(node) as client:
            try:
                answer = await client.command("offer", **offer)
            except PeerError as error:
                raise Unwell(
                    str(error),
                    "rtpengine: `interface` must be an address of this machine, `port-min` to `port-max` free.",
                ) from error
            finally:
                await client.command("delete", **delete)
            try:
                sessions = (await client.command("statistics")).get("statistics")
            except PeerError:
                sessions = None
        sdp = answer.get("sdp", b"")
        lines = sdp.decode("utf-8", "replace").splitlines() if isinstance(sdp, bytes) else []
        address = next((line.split(" ")[-1] for line in lines if line.startswith("c=IN ")), "?")
        port = next((line.split(" ")[1] for line in lines if line.startswith("m=audio ")), "?")
        seen = f"a session gets {address}:{port}"
        if isinstance(sessions, dict) and isinstance(current := sessions.get("currentstatistics"), dict):
            total = current.get("sessionstotal")
            seen += f"; {total} sessions now" if isinstance(total, int) else ""
        if address.startswith("127."):
            return seen, "Only browsers on this machine reach loopback: set rtpengine's `interface` for others."
        return seen, ""

    # --- this machine -------------------------------------------------------------------

    async def _tls(self) -> tuple[str, str]:
        cert, key = self._subject.tls_cert, self._subject.tls_key
        if cert is None or key is None:
            return "none set: http", ""
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
            days = _days_left(cert)
        except (ssl.SSLError, OSError, ValueError) as error:
            raise Unwell(
                f"{cert} and {key} cannot be used: {error}",
                "TLS_CERT and TLS_KEY are PEM files that belong together and may be read by this user.",
            ) from error
        if days < 0:
            raise Unwell(f"{cert} has expired {-days} days ago", "Renew the certificate and restart.")
        return f"{cert} is valid for {days} days", "Renew it soon." if days < 14 else ""

    async def _disk(self) -> tuple[str, str]:
        free = shutil.disk_usage(self._subject.data_folder).free
        seen = f"{free // 1024**2} MB free at {self._subject.data_folder.resolve()}"
        if free < MIN_FREE_BYTES:
            raise Unwell(seen, f"Make room: {MIN_FREE_BYTES // 1024**2} MB is the least.")
        return seen, ""


def _days_left(cert: Path) -> int:
    """Until the certificate ends; negative after. Raises ssl.SSLError, ValueError."""
    decode: Any = ssl._ssl._test_decode_cert  # type: ignore[attr-defined]
    ends = ssl.cert_time_to_seconds(decode(str(cert))["notAfter"])
    return (datetime.datetime.fromtimestamp(ends, datetime.UTC) - datetime.datetime.now(datetime.UTC)).days


_OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        "m=audio 9 RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        "",
    ]
)
