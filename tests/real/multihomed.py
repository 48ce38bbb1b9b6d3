"""A browser with several addresses, by aiortc: it sends by whichever candidate pair it is told to, and changes at will.

As Chromium does, each of its sockets plays only what comes from an address that it has a pair with. Knows nothing of
signalling: a `Pool` is given its offer, without candidates, as the page offers before any is gathered.
"""

import asyncio
from collections.abc import Sequence
from typing import Self

import aioice
import aioice.ice
import aioice.stun
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from ari_bridge.media.pool import Pool
from ari_bridge.net import RtpAddress
from ari_bridge_client.audio import ReceivedAudio, Tone, feed_from_track

KEPT = 200  # media packets
Address = tuple[str, int]


def is_media(datagram: bytes) -> bool:
    """RTP, encrypted or not, and no RTCP (RFC 7983, RFC 5761)."""
    return len(datagram) > 12 and 128 <= datagram[0] < 192 and not 192 <= datagram[1] <= 223


def peer_reflexive(preference: int) -> int:
    """The PRIORITY of a check (RFC 8445 section 5.1.2.1) by a socket of this local preference, 0 to 65535."""
    return (110 << 24) | (preference << 8) | 255


class Multihomed:
    """`hosts`: its addresses, the best first. It sends a tone of `hz`. As `async with`.

    `heard`: what it is sent. `sent`: its last encrypted packets of media, `checks`: its checks, as they left.
    """

    def __init__(self, hosts: Sequence[str], hz: float) -> None:
        self.heard = ReceivedAudio()
        self.sent: list[bytes] = []
        self.checks: list[bytes] = []
        self.remote: list[Address] = []  # rtpengine's ports, of the answer
        self._hosts = list(hosts)
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.addTrack(Tone(hz))
        self._peer.on("track", self._listen)
        self._listening: list[asyncio.Task[None]] = []
        self._ice: aioice.ice.Connection = self._peer.getSenders()[0].transport.transport._connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        self._ice._protocols[:] = [each for each in self._ice._protocols if not each.transport.is_closing()]
        await self._peer.close()
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        self.heard.close()

    async def offer(self, pool: Pool, leg: str, asterisk: RtpAddress) -> RtpAddress:
        """Offers and is answered; where rtpengine takes Asterisk's packets. Nothing was sent yet."""
        found = aioice.ice.get_host_addresses
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: self._hosts
        try:
            await self._peer.setLocalDescription(await self._peer.createOffer())
        finally:
            aioice.ice.get_host_addresses = found
        for protocol in self._ice._protocols:
            self._watch(protocol)
        lines = self._peer.localDescription.sdp.splitlines()
        address = await pool.offer(leg, "\r\n".join(each for each in lines if "a=candidate" not in each) + "\r\n")
        self._answer = await pool.answer(leg, asterisk)
        candidates = [line.split(" ") for line in self._answer.splitlines() if line.startswith("a=candidate")]
        self.remote = [(fields[4], int(fields[5])) for fields in candidates]
        return address

    async def connect(self, *, seconds: float = 10.0) -> None:
        """Until ICE and DTLS are done. Raises TimeoutError."""
        await self._peer.setRemoteDescription(RTCSessionDescription(self._answer, "answer"))
        async with asyncio.timeout(seconds):
            while self._peer.connectionState != "connected":  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def pair(self, local: str, remote: str) -> aioice.ice.CandidatePair:
        """Of one of its addresses and one of rtpengine's."""
        protocol = next(each for each in self._ice._protocols if each.local_candidate.host == local)
        return self._paired(protocol, remote)

    async def new_socket(self, local: str, remote: str) -> aioice.ice.CandidatePair:
        """The same path from another port, as where a NAT forgets the old one, or an interface comes."""
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(
            lambda: aioice.ice.StunProtocol(self._ice), local_addr=(local, 0)
        )
        host, port = transport.get_extra_info("sockname")[:2]
        protocol.local_candidate = aioice.Candidate(
            foundation=f"new{port}", component=1, transport="udp", priority=1, host=host, port=port, type="host"
        )
        self._ice._protocols.append(protocol)
        self._watch(protocol)
        return self._paired(protocol, remote)

    async def nominate(self, pair: aioice.ice.CandidatePair, *, priority: int) -> None:
        """A check with USE-CANDIDATE that was answered. Raises aioice.stun.TransactionError."""
        request = self._ice.build_request(pair, nominate=True)
        request.attributes["PRIORITY"] = priority
        key = (self._ice.remote_password or "").encode()
        await pair.protocol.request(request, pair.remote_addr, integrity_key=key)

    def send_by(self, pair: aioice.ice.CandidatePair) -> None:
        self._ice._nominated[1] = pair

    async def hear_more(self, seconds: float, *, within: float) -> None:
        """Until so much more sound came. Raises TimeoutError."""
        end = self.heard.total_seconds + seconds
        async with asyncio.timeout(within):
            while self.heard.total_seconds < end:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def _paired(self, protocol: aioice.ice.StunProtocol, remote: str) -> aioice.ice.CandidatePair:
        candidate = next(each for each in self._ice._remote_candidates if each.host == remote)
        known = self._ice._find_pair(protocol, candidate)
        if known is None:
            known = aioice.ice.CandidatePair(protocol, candidate)
            self._ice._check_list.append(known)
        known.state = aioice.ice.CandidatePair.State.SUCCEEDED
        return known

    def _watch(self, protocol: aioice.ice.StunProtocol) -> None:
        """Keeps what it sends, and lets in what a browser would."""
        receive, send, send_stun = protocol.datagram_received, protocol.send_data, protocol.send_stun

        def received(data: bytes, addr: Address) -> None:
            pairs = self._ice._check_list
            if not is_media(data) or any(p.protocol is protocol and p.remote_addr == addr[:2] for p in pairs):
                receive(data, addr)

        async def sending(data: bytes, addr: Address) -> None:
            if is_media(data):
                self.sent.append(bytes(data))
                del self.sent[:-KEPT]
            await send(data, addr)

        def sending_stun(message: aioice.stun.Message, addr: Address) -> None:
            if message.message_class == aioice.stun.Class.REQUEST:
                self.checks.append(bytes(message))
            send_stun(message, addr)

        vars(protocol).update(datagram_received=received, send_data=sending, send_stun=sending_stun)

    def _listen(self, track: MediaStreamTrack) -> None:
        self._listening.append(asyncio.create_task(feed_from_track(track, self.heard)))
