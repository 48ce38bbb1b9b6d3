"""From which address a request comes, proxies left out."""

from collections.abc import Iterable

import structlog
from aiohttp import web

from frontend.auth.proxies import Network, Proxies, is_loopback

_NAMING = ("X-Forwarded-For", "Forwarded")
_PROXY_HEADERS = ("FORWARDED", "VIA", "X-REAL-IP", "TRUE-CLIENT-IP")
_PROXY_PREFIXES = ("X-FORWARDED-", "CF-")
_MAX_WARNINGS = 16

log = structlog.get_logger(__name__)


class ClientAddresses:
    """`trusted`: the proxies that may name the client (TRUSTED_PROXIES)."""

    def __init__(self, trusted: tuple[Network, ...] = ()) -> None:
        self._proxies = Proxies(trusted)
        self._told: set[str] = set()

    def use(self, trusted: tuple[Network, ...]) -> None:
        """Other proxies from now on."""
        self._proxies = Proxies(trusted)
        self._told.clear()

    def trusts(self, peer: str) -> bool:
        """Whether the address is that of a proxy of ours."""
        return self._proxies.trusts(peer)

    def of(self, request: web.Request) -> str:
        """The client's address; "" if there is none."""
        peer, headers = request.remote or "", request.headers
        if not self._proxies.trusts(peer):
            if any(name in headers for name in _NAMING):
                self._tell(peer)
            return peer
        return self._proxies.client(peer, *(headers.getall(name, ()) for name in _NAMING))

    def is_local(self, request: web.Request) -> bool:
        """Whether a program on this machine asks: by a loopback address and name, and not for somebody else."""
        if not is_loopback(self.of(request)) or not is_loopback(host_name(request.host)):
            return False
        return self._proxies.trusts(request.remote) or not is_forwarded(request.headers)

    def host(self, request: web.Request) -> str:
        """The host (and port) that the client requested, as a trusted proxy reports it if it does not pass it on."""
        if self._proxies.trusts(request.remote) and (named := request.headers.get("X-Forwarded-Host")):
            return named.rpartition(",")[2].strip()
        return request.host

    def scheme(self, request: web.Request) -> str:
        """`https` or `http`: how the client asks, as a trusted proxy reports it."""
        if request.secure or not self._proxies.trusts(request.remote):
            return "https" if request.secure else "http"
        return self._proxies.scheme(*(request.headers.getall(name, ()) for name in ("X-Forwarded-Proto", "Forwarded")))

    def _tell(self, peer: str) -> None:
        """Once for each."""
        if peer not in self._told and len(self._told) < _MAX_WARNINGS:
            self._told.add(peer)
            log.warning(
                "requests arrive through an untrusted proxy: all of its clients count as one address",
                proxy=peer,
                cure=f"TRUSTED_PROXIES={peer}, if it is a proxy of yours that sets X-Forwarded-For or Forwarded",
            )


def is_forwarded(headers: Iterable[str]) -> bool:
    """Whether one of these names of headers is one that proxies add."""
    return any(name.upper() in _PROXY_HEADERS or name.upper().startswith(_PROXY_PREFIXES) for name in headers)


def host_name(host: str) -> str:
    """The name or address of a Host header, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
