"""Who may connect: decided for each new connection, before TLS."""

import time
from collections.abc import Callable

import structlog

from ari_bridge import metrics
from frontend.auth.client_addresses import ClientAddresses
from frontend.auth.sign_in_pace import network_of
from frontend.http.connection_table import (
    Connection,
    ConnectionLimits,
    ConnectionsFull,
    ConnectionTable,
    Holder,
    HolderKind,
)
from frontend.http.descriptors import affordable
from frontend.http.token_buckets import Rate, TokenBuckets
from frontend.settings import Settings

STRANGERS_SHARE = 4
"""Strangers may have one of so many connections; the rest is for those who have signed in."""
CONNECTING_RATE = Rate(per_second=50.0, burst=500.0)
"""New connections of one network. More are closed before their TLS handshake."""
LOG_INTERVAL_S = 10.0

log = structlog.get_logger(__name__)


def door_of(settings: Settings, addresses: ClientAddresses) -> "Door":
    total = affordable(settings.max_connections)
    strangers, per_network = total // STRANGERS_SHARE, settings.max_connections_per_address
    if not settings.enable_authentication:  # everybody is a stranger then, and on this machine
        strangers = per_network = total
    limits = ConnectionLimits(total, strangers, per_network, settings.max_connections_per_user)
    return Door(limits, addresses, limit_rate=settings.enable_authentication)


class Door:
    """What all listening ports share: the table of connections, and how often each network may connect."""

    def __init__(self, limits: ConnectionLimits, addresses: ClientAddresses, *, limit_rate: bool) -> None:
        self.table = ConnectionTable(limits, _count_displaced)
        self.addresses = addresses
        self._rates = TokenBuckets(CONNECTING_RATE) if limit_rate else None
        self._refused = 0
        self._logged_at = 0.0

    def admit(self, peer: str, close: Callable[[], None]) -> Connection | None:
        """The place of a new connection from the address `peer`; None if it is refused."""
        if self.addresses.trusts(peer):
            holder = Holder(HolderKind.PROXY, peer)
        else:
            holder = Holder(HolderKind.STRANGER, network_of(peer))
            if self._rates is not None and self._rates.take(holder.name):
                self._refuse("rate", peer)
                return None
        connection = Connection(holder, close)
        try:
            self.table.enter(connection)
        except ConnectionsFull as error:
            self._refuse(error.limit, peer)
            return None
        return connection

    def _refuse(self, limit: str, peer: str) -> None:
        """One line every few seconds: a log that grows with each connection would be the next thing to fill."""
        metrics.CONNECTIONS_REFUSED.labels(limit).inc()
        self._refused += 1
        if time.monotonic() - self._logged_at >= LOG_INTERVAL_S:
            self._logged_at = time.monotonic()
            log.warning("connections refused", limit=limit, address=peer, refused=self._refused)
            self._refused = 0


def _count_displaced(holder: Holder) -> None:
    metrics.CONNECTIONS_DISPLACED.labels(holder.kind.value).inc()
