"""Checks of the SIP edge: does it answer SIP, does it tell who is registered, and does Asterisk take its calls?"""

import asyncio
import re
import ssl
from typing import Any, Protocol

from yarl import URL

from ari_bridge.diagnostics.checks import CHECK_TIMEOUT_S, Check, CheckFailed, Subject
from ari_bridge.diagnostics.sip_client import NoAnswer, SipClient
from ari_bridge.diagnostics.sip_message import BadMessage, Response
from ari_bridge.diagnostics.sip_transport import SipUnreachable, TransportName, connect
from ari_bridge.errors import PeerError, PeerRefused
from ari_bridge.net import host_port
from ari_bridge.sip_edge import EdgeRpc

ENDPOINT, CONTEXT = "edge", "from-edge"
"""Of pjsip.conf and extensions.conf (asterisk-conf)."""
RPC = "SIP edge"
_OPTIONS_S = 1.5
_RING = re.compile(
    r"PJSIP/([A-Za-z0-9_.-]+)/sip:\{user\}@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?(?:;\S*)?"
)
_MAX_SOCKETS = 6
_TRANSPORTS: dict[str, TransportName] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}


class Asterisk(Protocol):
    """What is asked of Asterisk."""

    async def status_of(self, path: str) -> int:
        """The HTTP status of a GET of ARI."""

    async def has_extension(self, place: str) -> bool:
        """`place`: as DIALPLAN_EXISTS() takes it, e.g. `from-edge,100,1`."""


class EdgeChecks:
    def __init__(self, subject: Subject, asterisk: Asterisk) -> None:
        self._subject = subject
        self._pbx = asterisk

    def all(self, asterisk: set[str]) -> list[Check]:
        """None where no edge is set up. `asterisk`: the checks without which Asterisk cannot be asked."""
        subject = self._subject
        if not subject.sip_edge_token:
            return []
        found = [Check("SIP passwords", set(), self._passwords)]
        if subject.sip_edge_rpc_url:
            found += [Check(RPC, set(), self._rpc), Check("SIP edge OPTIONS", {RPC}, self._options)]
            found.append(Check("SIP_EDGE_RING", {RPC, *asterisk}, self._ring))
        else:
            found.append(Check(RPC, set(), self._not_asked))
        return [*found, Check("SIP edge in Asterisk", asterisk, self._asterisk)]

    async def _passwords(self) -> tuple[str, str]:
        subject = self._subject
        seen = f"{subject.sip_passwords} users have one of the realm {subject.sip_realm}"
        if subject.sip_passwords_elsewhere:
            return (
                f"{seen}, and {subject.sip_passwords_elsewhere} one of another realm, which the edge refuses",
                "Set SIP_REALM back, or make theirs anew: `ari-bridge user sip-password NAME`.",
            )
        if not subject.sip_passwords:
            return seen, "Nobody can register a phone: `ari-bridge user sip-password NAME` makes a SIP password."
        return seen, ""

    async def _not_asked(self) -> tuple[str, str]:
        return (
            "it is not asked who is registered: SIP_EDGE_RPC_URL is not set",
            "SIP_EDGE_RPC_URL=http://127.0.0.1:5064/RPC, or where its SIP_EDGE_RPC_PORT is: presence then knows SIP "
            "phones, and a locked user's phones go at once.",
        )

    async def _rpc(self) -> tuple[str, str]:
        url = self._subject.sip_edge_rpc_url
        try:
            return f"{url} answers ({str(await self._call('core.version')).strip()[:80]})", ""
        except PeerRefused as error:
            if error.status == 401:
                raise CheckFailed(
                    f"{url} does not take this token",
                    "SIP_EDGE_TOKEN of the server and of the SIP edge have to be the same; then restart the edge.",
                ) from error
            raise CheckFailed(
                f"{url} answers, but not as a Kamailio: {error.reason}", "Is SIP_EDGE_RPC_URL right?"
            ) from error
        except PeerError as error:
            raise CheckFailed(
                str(error), "Does the SIP edge run (docs/DIRECT_SIP.md)? SIP_EDGE_RPC_URL is http://HOST:PORT/RPC."
            ) from error

    async def _options(self) -> tuple[str, str]:
        told: list[str] = []
        for name, host, port in self._sockets(await self._call("core.sockets_list"))[:_MAX_SOCKETS]:
            where = f"{name}:{host_port(host, port)}"
            try:
                response = await _send_options(name, host, port)
            except (NoAnswer, SipUnreachable, BadMessage) as error:
                told.append(f"{where}: {error}")
                continue
            if response.status < 300:
                return f"{where} answers OPTIONS with {response.status}", ""
            told.append(f"{where}: {response.status} {response.reason[:60]}")
        raise CheckFailed(
            f"no socket of the SIP edge answers OPTIONS with 200 ({'; '.join(told) or 'it has none'})",
            "Kamailio's log says why. 503: it reaches no Asterisk, or Asterisk does not answer it.",
        )

    def _sockets(self, listed: Any) -> list[tuple[TransportName, str, int]]:
        rpc = URL(self._subject.sip_edge_rpc_url)
        found = []
        for one in listed if isinstance(listed, list) else []:
            match one:
                case {"socket": {"proto": str(proto), "address": str(host), "port": str(port)}} if port.isdigit():
                    plain = host.strip("[]")
                    if proto in _TRANSPORTS and int(port) != rpc.port:
                        here = plain if plain not in ("0.0.0.0", "::") else rpc.host or "127.0.0.1"
                        found.append((_TRANSPORTS[proto], here, int(port)))
        return found

    async def _ring(self) -> tuple[str, str]:
        """What Asterisk dials for a registered phone: an endpoint that it has, at a socket that the edge has."""
        ring = self._subject.sip_edge_ring
        sockets = self._sockets(await self._call("core.sockets_list"))
        places = [host_port(host, port) for name, host, port in sockets if name == "udp"]
        cure = (
            f"SIP_EDGE_RING=PJSIP/{ENDPOINT}/sip:{{user}}@{places[-1] if places else 'HOST:PORT'}, or another of its "
        )
        cure += f"sockets to which Asterisk sends ({', '.join(places) or 'it has none with UDP'})."
        if not ring:
            return "it is not set: registered phones do not ring", cure
        found = _RING.fullmatch(ring)
        if not found:
            return f"{ring} does not name an endpoint and an address: it cannot be checked", ""
        if await self._pbx.status_of(f"/endpoints/PJSIP/{found[1]}") == 404:
            raise CheckFailed(f"Asterisk has no PJSIP endpoint {found[1]}, by which {ring} is dialled", cure)
        where = (found[2].strip("[]"), int(found[3] or 5060))
        if where not in [(host, port) for _, host, port in sockets]:
            return f"{host_port(*where)} is none of the edge's own sockets", f"If nothing forwards it: {cure}"
        return f"{ring} leads to the edge", ""

    async def _asterisk(self) -> tuple[str, str]:
        status = await self._pbx.status_of(f"/endpoints/PJSIP/{ENDPOINT}")
        if status == 404:
            raise CheckFailed(
                f"Asterisk has no PJSIP endpoint {ENDPOINT}: it does not know the SIP edge",
                "pjsip.conf: the sections [edge] of asterisk-conf, with the edge's address; then `pjsip reload`, which "
                "ends no call.",
            )
        if status != 200:
            raise CheckFailed(f"Asterisk answers {status} when asked for its endpoint {ENDPOINT}", "See its log.")
        if not await self._pbx.has_extension(f"{CONTEXT},100,1"):
            raise CheckFailed(
                f"the dialplan has no {CONTEXT} that takes numbers: calls from the SIP edge end there",
                f"extensions.conf: the context [{CONTEXT}] of asterisk-conf, which hands the call to "
                f"Stasis({self._subject.ari_app},sip,…); then `asterisk -rx 'dialplan reload'`, which ends no call.",
            )
        return f"Asterisk has the endpoint {ENDPOINT}, and {CONTEXT} takes its calls", ""

    async def _call(self, method: str) -> Any:
        rpc = EdgeRpc(self._subject.sip_edge_rpc_url, self._subject.sip_edge_token, timeout=CHECK_TIMEOUT_S)
        try:
            return await rpc.call(method)
        finally:
            await rpc.close()


async def _send_options(name: TransportName, host: str, port: int) -> Response:
    """Raises NoAnswer, SipUnreachable, BadMessage."""
    anything = ssl.create_default_context()
    anything.check_hostname = False
    anything.verify_mode = ssl.CERT_NONE  # whether it answers; clients check the certificate
    try:
        async with asyncio.timeout(_OPTIONS_S):
            way = await connect(host, port, name, tls=anything)
    except TimeoutError:
        raise SipUnreachable("no connection in time") from None
    try:
        return await SipClient(way, host_port(host, port), lambda arrow, raw: None).options(_OPTIONS_S)
    finally:
        await way.close()
