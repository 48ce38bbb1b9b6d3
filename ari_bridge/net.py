"""Addresses on the network, as they are written."""

from dataclasses import dataclass


def host_port(host: str, port: int) -> str:
    """`host:port`, with an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class RtpAddress:
    """Where RTP is received: an IP address and a UDP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return host_port(self.host, self.port)
