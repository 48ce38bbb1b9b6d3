"""Which of a browser's ICE candidates are passed to rtpengine, which sends checks to each of them repeatedly.

So an offer could have it probe the inner network, or send to a stranger. It needs none of them (docs/NAT.md): a
browser's own checks show where it is. What is left out is loopback, link-local, multicast and reserved addresses, ports
that no browser receives at, the addresses of this machine and of the rtpengine, and private ones unless the rtpengine
is in a private network itself.
"""

import ipaddress
import socket
from enum import Enum

from ari_bridge.errors import InvalidRequest, InvalidSdp
from ari_bridge.media import sdp as sdp_text
from ari_bridge.media.ice_candidate import read_candidate

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE = [
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
"""RFC 1918, RFC 6598 (carriers' NAT), RFC 4193. `is_private` of the standard library has more, e.g. for examples."""
_LOWEST_PORT = 1024
"""Those below belong to services; a browser opens none of them."""


class PassedOn(Enum):
    """Which candidates are passed on. The values are the words of the setting ICE_CANDIDATES."""

    AUTO = "auto"  # private addresses if rtpengine is at one itself, by its last answer
    PUBLIC = "public"
    PRIVATE = "private"  # public and private addresses
    ALL = "all"  # for browsers on this very machine, behind a firewall


class CandidateFilter:
    """For one rtpengine.

    Args:
        host: Where it takes commands.
        passed_on: Which candidates are passed on.
    """

    def __init__(self, host: str = "", passed_on: PassedOn = PassedOn.AUTO) -> None:
        self._own = {host}
        self._passed_on = passed_on
        self._allows_private = passed_on is PassedOn.PRIVATE

    def learn(self, answer: str) -> None:
        """Learn rtpengine's own addresses from its SDP answer; an invalid one is ignored."""
        try:
            host = sdp_text.rtp_address(answer).host
            address = ipaddress.ip_address(host)
        except (InvalidSdp, ValueError):
            return
        self._own.add(host)
        if self._passed_on is PassedOn.AUTO:
            self._allows_private = address.is_loopback or address.is_link_local or _is_private(address)

    def apply(self, offer: str) -> str:
        """The offer with the candidates that may be passed on. Raises InvalidSdp."""
        if self._passed_on is PassedOn.ALL:
            return sdp_text.filter_candidates(offer, lambda _: True, lambda host: host != "::")
        return sdp_text.filter_candidates(offer, self._takes, self._takes_host)

    def _takes(self, candidate: str) -> bool:
        try:
            value = read_candidate(candidate)
        except InvalidRequest:
            return False
        if value is None:
            return False
        _, _, _, _, host, port, *_ = value.split(" ")
        return int(port) >= _LOWEST_PORT and self._takes_host(host)

    def _takes_host(self, host: str) -> bool:
        try:
            address: _Address = ipaddress.ip_address(host)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if address.is_loopback or address.is_link_local or address.is_multicast:
            return False
        if address.is_unspecified or address.is_reserved:
            return False
        if _is_private(address) and not self._allows_private:
            return False
        return str(address) not in self._own and not _is_of_this_machine(address)


def _is_private(address: _Address) -> bool:
    return any(address in network for network in _PRIVATE if network.version == address.version)


def _is_of_this_machine(address: _Address) -> bool:
    """Only an own address can be bound to."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
