"""Which ports are taken, and by whom. Reads /proc only, so it needs no tools."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LISTEN = "0A"  # TCP state in /proc/net/tcp


@dataclass(frozen=True, slots=True)
class Port:
    """A port that is wanted on `host`: `kind` is "tcp" or "udp", `what` says for what in plain words."""

    host: str
    kind: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.kind} port {self.number} ({self.what})"


@dataclass(frozen=True, slots=True)
class Taken:
    """A wanted port that another process holds; `holder` is like "nginx (pid 812)"."""

    port: Port
    holder: str

    def __str__(self) -> str:
        return f"{self.port} is taken by {self.holder}"


class PortsTaken(Exception):
    """One or more wanted ports are held by others. Nothing was started."""

    def __init__(self, taken: list[Taken]) -> None:
        self.taken = taken
        super().__init__("; ".join(str(each) for each in taken))


def require_free(ports: Iterable[Port]) -> None:
    """Raises `PortsTaken`, naming every wanted port that cannot be bound, and its holder."""
    taken = [Taken(port, _holder(port)) for port in ports if not _is_free(port)]
    if taken:
        raise PortsTaken(taken)


def _is_free(port: Port) -> bool:
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    kind = socket.SOCK_STREAM if port.kind == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, kind) as probe:
        if port.kind == "tcp":
            # As servers do: connections that linger from an earlier run are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.number))
        except OSError:
            return False
    return True


def _holder(port: Port) -> str:
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        if sockets & _open_files(process):
            with contextlib.suppress(OSError):  # it has ended just now
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "a process that cannot be seen from here"


def _open_files(process: Path) -> set[str]:
    found = set()
    # What is gone meanwhile, or not ours to read, holds nothing that we can name.
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(os.readlink(descriptor))
    return found


def _inodes(port: Port) -> set[str]:
    found = set()
    for table in (f"/proc/net/{port.kind}", f"/proc/net/{port.kind}6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            number = int(columns[1].rpartition(":")[2], 16)
            if number == port.number and (port.kind == "udp" or columns[3] == LISTEN):
                found.add(columns[9])
    return found
