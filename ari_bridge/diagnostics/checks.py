"""What the checks have in common: their subject, and their outcome."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from ari_bridge.media.node_address import NodeAddress

CHECK_TIMEOUT_S = 5.0
"""For each request of a check."""


class Result(Enum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"  # what it needs has failed already


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: its name.
        seen: what was found.
        cure: what to do; empty if nothing is needed.
    """

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
    max_connections: int = 0
    databases: tuple[tuple[str, str], ...] = ()  # by the setting's name their URLs; "": none
    recording_s3_endpoint: str = ""
    sip_edge_token: str = field(default="", repr=False)
    sip_edge_rpc_url: str = ""
    sip_edge_ring: str = ""
    sip_realm: str = ""
    sip_passwords: int = 0  # how many users have one of this realm
    sip_passwords_elsewhere: int = 0  # and of another, which is of no use
    data_folder: Path = Path(".")


class CheckFailed(Exception):
    """A check has failed.

    Args:
        seen: what was found.
        cure: what to do.
    """

    def __init__(self, seen: str, cure: str) -> None:
        super().__init__(seen)
        self.cure = cure


class Check(NamedTuple):
    name: str
    needs: set[str]
    """The names of checks without which this one makes no sense."""
    run: Callable[[], Awaitable[tuple[str, str]]]
    """Returns what was seen, and a warning or ""; raises CheckFailed, PeerError, OSError, aiohttp.ClientError."""
