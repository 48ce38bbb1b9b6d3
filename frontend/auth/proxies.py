"""Whose request it is, where reverse proxies stand between: TRUSTED_PROXIES. Pure.

A header that names the client can be written by anybody. It is believed only as far as those who added to it are
trusted: from the last entry to the first, each is who connected to the proxy that wrote it.
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
                f"{entry!r} is no address of a proxy, as 192.0.2.7, and no network, as 10.0.0.0/8"
            ) from None
        if found[-1].prefixlen == 0:
            raise ValueError(f"{entry!r} is everybody: any client could then name itself as it likes")
    return tuple(found)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Proxies:
    """`trusted`: who may tell for whom it asks."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted

    def trusts(self, address: str | None) -> bool:
        parsed = _parse(address or "")
        return parsed is not None and self._is_trusted(parsed)

    def client(self, peer: str | None, x_forwarded_for: Iterable[str] = (), forwarded: Iterable[str] = ()) -> str:
        """The address of the client. `peer`: who has connected; the headers in all their lines, first to last.

        X-Forwarded-For, and Forwarded (RFC 7239). A proxy writes one of the two and may hand the other on as the
        client has sent it: where they differ, neither is believed.
        """
        told = {
            self._walk(peer or "", chain)
            for lines, entries in ((x_forwarded_for, _addresses), (forwarded, _forwarded))
            if (chain := entries(",".join(lines)))
        }
        return told.pop() if len(told) == 1 else peer or ""

    def _walk(self, peer: str, chain: list[str]) -> str:
        known = peer
        for entry in reversed(chain):
            parsed = _parse(known)
            if parsed is None or not self._is_trusted(parsed):
                return known
            told = _parse(entry)
            if told is None:
                return known  # "unknown", a name of the proxy's own (RFC 7239 section 6.3), or nonsense
            known = str(told)
        return known

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted if network.version == address.version)


def _addresses(header: str) -> list[str]:
    return [entry.strip() for entry in header.split(",")] if header.strip() else []


def _forwarded(header: str) -> list[str]:
    """The `for` of each element, "" where one has none; a header that is not as RFC 7239 has it tells nothing."""
    found, at, element = [], 0, ""
    while at < len(header):
        match = _PARAMETER.match(header, at)
        if match:
            name, value = match.groups()
            if name.lower() == "for":
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
    """An address as these headers have it: also with a port, and IPv6 in brackets."""
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
