"""From which address a request comes, proxies left out."""

import structlog
from aiohttp import web

from frontend.auth.proxies import Network, Proxies

_NAMING = ("X-Forwarded-For", "Forwarded")
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

    def of(self, request: web.Request) -> str:
        """The client's address; "" where there is none."""
        peer, headers = request.remote or "", request.headers
        if not self._proxies.trusts(peer):
            if any(name in headers for name in _NAMING):
                self._tell(peer)
            return peer
        return self._proxies.client(peer, *(headers.getall(name, ()) for name in _NAMING))

    def host(self, request: web.Request) -> str:
        """The host (and port) that the client asked for: a trusted proxy tells it where it does not hand it on."""
        if self._proxies.trusts(request.remote) and (named := request.headers.get("X-Forwarded-Host")):
            return named.rpartition(",")[2].strip()
        return request.host

    def _tell(self, peer: str) -> None:
        """Once for each."""
        if peer not in self._told and len(self._told) < _MAX_WARNINGS:
            self._told.add(peer)
            log.warning(
                "requests arrive through an untrusted proxy: all of its clients count as one address",
                proxy=peer,
                cure=f"TRUSTED_PROXIES={peer}, if it is a proxy of yours that sets X-Forwarded-For or Forwarded",
            )
