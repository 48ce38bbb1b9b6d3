"""Checks of Asterisk: can it be reached, may we use it, and does it have what a call needs?"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from ari_bridge.ari.channel_wakeup import needs_wakeup
from ari_bridge.ari.client import Ari
from ari_bridge.ari.readiness import CONTEXT_CURE, MARK, MEDIA_CURE
from ari_bridge.diagnostics.checks import CHECK_TIMEOUT_S, Check, CheckFailed, Subject
from ari_bridge.errors import PeerError
from ari_bridge.net import RtpAddress

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
    "func_timeout": "ending calls that last too long, and waking silent channels of an older Asterisk",
    "func_strings": "the same (EVAL)",
    "func_logic": "the same (SET)",
    "func_callerid": "showing the caller's number",
}

ADDRESS, CREDENTIALS, STREAM, MEDIA = "ARI address", "ARI credentials", "event stream", "external media"


WIDE_CONTEXTS = frozenset({"from-internal", "from-trunk", "from-pstn", "default"})
"""Contexts of common distributions in which more is reachable than browsers need."""


class AsteriskChecks:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._url = subject.ari_url.rstrip("/")

    def all(self) -> list[Check]:
        return [
            Check(ADDRESS, set(), self._address),
            Check(CREDENTIALS, {ADDRESS}, self._credentials),
            Check("Asterisk version", {CREDENTIALS}, self._version),
            Check("Asterisk modules", {CREDENTIALS}, self._modules),
            Check(STREAM, {CREDENTIALS}, self._stream),
            Check(MEDIA, {STREAM}, self._external_media),
            Check("dialplan", {MEDIA}, self._dialplan),
        ]

    async def status_of(self, path: str) -> int:
        """The HTTP status of a GET of ARI. Raises aiohttp.ClientError, TimeoutError, OSError."""
        async with self._get(path) as response:
            return response.status

    async def has_extension(self, place: str) -> bool:
        """`place`: as DIALPLAN_EXISTS() takes it, e.g. `from-edge,100,1`. Raises PeerError, CheckFailed."""
        async with self._connected() as ari:
            channel = f"{MARK}-{secrets.token_hex(8)}"
            await ari.channels.external_media(channel, RtpAddress("127.0.0.1", 9))
            try:
                return await ari.channels.context_exists(channel, place)
            finally:
                await ari.channels.hangup(channel)

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
            raise CheckFailed(
                f"{self._url} does not answer: {error or 'no answer in time'}",
                "Is Asterisk running? http.conf: enabled = yes, bindaddr and bindport as in ARI_URL, "
                "which ends in /ari.",
            ) from error
        if status == 404:
            raise CheckFailed(
                f"{self._url} answers ({server}), but there is no ARI",
                "ari.conf: [general] enabled = yes; load res_ari. A `prefix` in http.conf belongs into ARI_URL.",
            )
        return f"{self._url} answers ({server})", ""

    async def _credentials(self) -> tuple[str, str]:
        user = self._subject.ari_user
        async with self._get("/asterisk/info") as response:
            if response.status in (401, 403):
                raise CheckFailed(
                    f"Asterisk does not take user {user} with this password ({response.status})",
                    f"ari.conf: a section [{user}] with type = user, read_only = no and the password of ARI_PASSWORD; "
                    "then `module reload res_ari`.",
                )
            if response.status != 200:
                raise CheckFailed(f"Asterisk answers {response.status}", "See Asterisk's log.")
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
            raise CheckFailed(f"Asterisk {version}", "External media came with Asterisk 16.6: upgrade.")
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
            raise CheckFailed(
                f"not loaded: {lines}", f"{now} (no call ends by it). To keep it so, modules.conf: {loads}"
            )
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
            raise CheckFailed(
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
                raise CheckFailed(str(error), cure) from error
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
                    raise CheckFailed(f"there is no context {context}, in which calls begin", f"{CONTEXT_CURE}.")
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
        if context in WIDE_CONTEXTS:
            return (
                f"calls begin in {context}, which mostly opens trunks and feature codes to all",
                "Dial permissions (docs/DIAL_PERMISSIONS.md) are the only bound then: give browsers a context of their "
                "own (asterisk-conf/existing-pbx/extensions.conf) and set DIAL_CONTEXT to it.",
            )
        return f"there is a context {context}", ""
