"""Who asks by the control socket: somebody whom the file system lets write to it, so the service's user or root."""

import pwd
import socket
import struct

from aiohttp import web

from ari_bridge.audit import Audit
from frontend.auth.grants import Grant
from frontend.auth.principal import ON_THIS_MACHINE, Principal

GRANTS = frozenset({Grant.CALLS_READ, Grant.CALLS_CONTROL, Grant.CALLS_STOP, Grant.MONITOR_READ})
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


class LocalOperator:
    """In place of the `Authenticator` on the control socket: there is no sign-in, the kernel says who it is.

    Args:
        audit: Where what is done is recorded.
    """

    def __init__(self, audit: Audit) -> None:
        self.audit = audit

    def stranger(self, request: web.Request) -> Principal:
        """There are none."""
        return self.authenticate(request)

    def authenticate(self, request: web.Request, *, again: bool = False) -> Principal:
        return Principal(f"{_user_of(request)}{ON_THIS_MACHINE}", grants=GRANTS, kind="cli")

    def holds(self, principal: Principal) -> bool:
        return True


def _user_of(request: web.Request) -> str:
    """The name of the system's user, e.g. root."""
    connection = request.get_extra_info("socket")
    if connection is None:
        return "somebody"
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(peer)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
