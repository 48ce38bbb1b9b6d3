"""The client's address behind reverse proxies (TRUSTED_PROXIES). Pure.

Anyone can send a header that names the client. Its entries are therefore read from the last to the first, and only as
long as the proxy that added the entry is trusted: each entry is the address that connected to that proxy.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_PARAMETER = re.compile(r'\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s"]*)\s*')


def parse_proxies(text: str) -> tuple[Network, ...]:
    """Addresses and networks separated by commas; `loopback` is 127.0.0.0/8 and ::1. Raises ValueError."""
    found: list[Network] = []
    for entry in filter(None, map(str.strip, text.split(","))):
        if entry == "loopback":
            found += _LOOPBACK
            continue
        try:
            found.append(ipaddress.ip_network(entry))
        except ValueError:
            raise ValueError(
                f"{entry!r} is neither an address, like 192.0.2.7, nor a network, like 10.0.0.0/8"
            ) from None
        if found[-1].prefixlen == 0:
            raise ValueError(f"{entry!r} would trust every client to choose its own address")
    return tuple(found)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Proxies:
    """Finds the client of a request.

    Args:
        trusted: The proxies whose forwarding headers are believed.
    """

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted

    def trusts(self, address: str | None) -> bool:
        parsed = _parse(address or "")
        return parsed is not None and self._is_trusted(parsed)

    def client(self, peer: str | None, x_forwarded_for: Iterable[str] = (), forwarded: Iterable[str] = ()) -> str:
        """The address of the client.

        A proxy sets one of the two headers and may pass the other on as the client sent it: if they differ, neither
        is believed.

        Args:
            peer: The address that the connection comes from.
            x_forwarded_for: The lines of the header X-Forwarded-For, in order.
            forwarded: The lines of the header Forwarded (RFC 7239), in order.
        """
        clients = {
            self._walk(peer or "", chain)
            for lines, entries in ((x_forwarded_for, _addresses), (forwarded, _forwarded))
            if (chain := entries(",".join(lines)))
        }
        return clients.pop() if len(clients) == 1 else peer or ""

    def scheme(self, x_forwarded_proto: Iterable[str] = (), forwarded: Iterable[str] = ()) -> str:
        """The scheme that the last proxy was asked by: `https` only if the headers say so and do not contradict."""
        found = {
            entries[-1].lower()
            for lines, read in ((x_forwarded_proto, _addresses), (forwarded, _protocols))
            if (entries := [entry for entry in read(",".join(lines)) if entry])
        }
        return "https" if found == {"https"} else "http"

    def _walk(self, peer: str, chain: list[str]) -> str:
        client = peer
        for entry in reversed(chain):
            parsed = _parse(client)
            if parsed is None or not self._is_trusted(parsed):
                return client
            previous = _parse(entry)
            if previous is None:
                return client  # "unknown", an obfuscated identifier (RFC 7239 section 6.3), or invalid
            client = str(previous)
        return client

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted if network.version == address.version)


def _addresses(header: str) -> list[str]:
    return [entry.strip() for entry in header.split(",")] if header.strip() else []


def _protocols(header: str) -> list[str]:
    return _forwarded(header, "proto")


def _forwarded(header: str, parameter: str = "for") -> list[str]:
    """The `for` of each element, "" if it has none; an invalid header (RFC 7239) gives one "": no client."""
    found, at, element = [], 0, ""
    while at < len(header):
        match = _PARAMETER.match(header, at)
        if match:
            name, value = match.groups()
            if name.lower() == parameter:
                element = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
            at = match.end()
        separator = header[at : at + 1]
        if separator == ",":
            found.append(element)
            element = ""
        elif separator not in (";", ""):
            return [""]
        at += 1
    return [*found, element] if header.strip() else []


def _parse(text: str) -> Address | None:
    """An address as these headers contain it: possibly with a port, IPv6 in brackets. None if it is invalid."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
