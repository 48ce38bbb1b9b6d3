"""The address for commands to an rtpengine, as in the settings: `HOST:PORT` or `HOST:PORT*WEIGHT`."""

import ipaddress
import re
from dataclasses import dataclass

from ari_bridge.net import host_port

_WRITTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})(?:\*(\d{1,4}))?")
HIGHEST_WEIGHT = 1000


@dataclass(frozen=True)
class NodeAddress:
    """`host` without brackets; `port`: UDP. With `weight` 2 it takes twice the calls of one with 1, with 0 none."""

    host: str
    port: int
    weight: int = 1

    def __str__(self) -> str:
        """`host:port`: what the node is called in logs, metrics and commands."""
        return host_port(self.host, self.port)

    @property
    def is_literal(self) -> bool:
        """An IP address, not a name that may come to mean another machine."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @classmethod
    def parse(cls, text: str) -> "NodeAddress":
        """Raises ValueError, which says what is wrong."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text.strip()!r} is not HOST:PORT or HOST:PORT*WEIGHT")
        port, weight = int(match[2]), int(match[3] or "1")
        if not 1 <= port <= 65535:
            raise ValueError(f"{text.strip()!r} has no port from 1 to 65535")
        if weight > HIGHEST_WEIGHT:
            raise ValueError(f"{text.strip()!r} has no weight from 0 to {HIGHEST_WEIGHT}")
        return cls(match[1].strip("[]"), port, weight)


def parse_nodes(text: str) -> tuple[NodeAddress, ...]:
    """Comma-separated addresses. Raises ValueError if one is invalid or a duplicate, or there is none."""
    nodes = tuple(NodeAddress.parse(part) for part in text.split(",") if part.strip())
    if not nodes:
        raise ValueError("at least one HOST:PORT is needed")
    names = [str(node) for node in nodes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"duplicate address {twice}")
    return nodes
