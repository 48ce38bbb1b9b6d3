"""File descriptors: each connection takes one, and so do Asterisk, rtpengine and the databases."""

import resource

import structlog

RESERVED = 512
"""Descriptors that are not for connections."""

log = structlog.get_logger(__name__)


def raise_limit() -> int:
    """Raise the soft limit of this process as far as it may be raised. Returns how many it may have now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError) as error:  # "unlimited" is more than some systems give
            log.warning("cannot raise the limit of file descriptors", limit=soft, reason=str(error))
    return limit()


def limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20


def affordable(connections: int) -> int:
    """So many of the `connections` as there are descriptors for; a warning if that is fewer."""
    have = max(64, limit() - RESERVED)
    if have < connections:
        log.warning(
            "fewer connections than MAX_CONNECTIONS: there are not enough file descriptors",
            connections=have,
            cure=f"LimitNOFILE={connections + RESERVED} in the systemd unit, or ulimit -n {connections + RESERVED}",
        )
    return min(have, connections)
