"""Checks of each rtpengine: does it respond, and does a session get an address and a port?"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ari_bridge.diagnostics.checks import CHECK_TIMEOUT_S, Check, CheckFailed, Subject
from ari_bridge.errors import PeerError
from ari_bridge.media.bencode import Value
from ari_bridge.media.ng import NgClient
from ari_bridge.media.node_address import NodeAddress

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


class RtpengineChecks:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def all(self) -> list[Check]:
        return [check for node in self._subject.rtpengine_ng for check in self._of_node(node)]

    def _of_node(self, node: NodeAddress) -> list[Check]:
        several = len(self._subject.rtpengine_ng) > 1
        ping, ports = (f"rtpengine {node}", f"rtpengine ports {node}") if several else ("rtpengine", "rtpengine ports")
        return [Check(ping, set(), lambda: self._ping(node)), Check(ports, {ping}, lambda: self._ports(node))]

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
            raise CheckFailed(
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
                raise CheckFailed(
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
