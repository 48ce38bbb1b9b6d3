"""Which addresses may use the server at all (ENABLE_IP_WHITELISTING, IP_WHITELIST)."""

import ipaddress

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from frontend.auth.client_addresses import ClientAddresses
from frontend.auth.proxies import Network
from frontend.http.middleware import Handler
from frontend.http.problems import ProblemError
from frontend.settings import Settings

log = structlog.get_logger(__name__)


class AddressFilter:
    """Lets in the clients of the listed networks, and programs on this machine; everybody if it is off."""

    def __init__(self, settings: Settings, addresses: ClientAddresses) -> None:
        self._addresses = addresses
        self._networks: tuple[Network, ...] | None = None
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Other networks from now on. Open connections are asked at their next request."""
        self._networks = settings.ip_whitelist if settings.enable_ip_whitelisting else None

    def allows(self, request: web.Request) -> bool:
        if self._networks is None or self._addresses.is_local(request):
            return True
        try:
            address = ipaddress.ip_address(self._addresses.of(request).partition("%")[0])
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any((mapped or address) in network for network in self._networks)

    def middleware(self) -> Middleware:
        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self.allows(request):
                address = self._addresses.of(request)
                log.info("request from an address that is not listed refused", address=address)
                raise ProblemError("forbidden", f"The address {address} may not use this server: IP_WHITELIST.")
            return await handler(request)

        return check
