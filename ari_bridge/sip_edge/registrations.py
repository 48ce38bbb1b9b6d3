"""What Kamailio's `ul.dump` tells: who has registered from where (module usrloc, ul_rpc.c). Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_REGISTRATIONS = 50_000
_TRANSPORT = re.compile(r";transport=([A-Za-z]{2,4})(?=[;?>]|$)", re.IGNORECASE)
_HOST = re.compile(r"^sips?:(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[^:;?>]+)", re.IGNORECASE)
_MAX_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Registration:
    """One contact of a user.

    Args:
        user: Who has registered.
        contact: The SIP URI at which the phone wants to be called.
        address: IP address that it has registered from, as far as is known.
        transport: `udp`, `tcp`, `tls`, `ws` or `wss`.
        user_agent: What the phone says that it is; "" if it does not.
        expires_at: Unix seconds.
    """

    user: str
    contact: str
    address: str
    transport: str
    user_agent: str
    expires_at: float


def parse(dump: Any, now: float) -> list[Registration]:
    """Those that have not expired at `now` (Unix seconds), by user. What cannot be read is left out.

    Raises ValueError if it is no dump at all, or longer than MAX_REGISTRATIONS.
    """
    if not isinstance(dump, dict) or not isinstance(dump.get("Domains"), list):
        raise ValueError("no list of domains")
    found: list[Registration] = []
    for user, contact in _contacts(dump["Domains"]):
        if one := _registration(user, contact, now):
            found.append(one)
            if len(found) > MAX_REGISTRATIONS:
                raise ValueError(f"more than {MAX_REGISTRATIONS} registrations")
    return sorted(found, key=lambda one: (one.user, one.contact))


def _contacts(domains: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for domain in domains:
        for record in _list(domain, "Domain", "AoRs"):
            match record:
                case {"Info": {"AoR": str(user)}}:
                    for contact in _list(record, "Info", "Contacts"):
                        match contact:
                            case {"Contact": dict(values)}:
                                yield user, values


def _list(value: Any, outer: str, inner: str) -> list[Any]:
    within = value.get(outer) if isinstance(value, dict) else None
    found = within.get(inner) if isinstance(within, dict) else None
    return found if isinstance(found, list) else []


def _registration(user: str, contact: dict[str, Any], now: float) -> Registration | None:
    address, expires = contact.get("Address"), contact.get("Expires")
    if not isinstance(address, str) or not isinstance(expires, int) or expires <= 0:
        return None  # "expired", "deleted": it is gone with the next sweep
    received = _text(contact, "Received")
    host = _HOST.match(received or address)
    return Registration(
        user=user.partition("@")[0],
        contact=address[:_MAX_CHARACTERS],
        address=host[1].strip("[]") if host else "",
        transport=_transport(received, address, _text(contact, "Socket")),
        user_agent=_text(contact, "User-Agent"),
        expires_at=now + expires,
    )


def _text(contact: dict[str, Any], name: str) -> str:
    value = contact.get(name)
    return value[:_MAX_CHARACTERS] if isinstance(value, str) and value != "[not set]" else ""


def _transport(received: str, address: str, socket: str) -> str:
    """Where it came from counts more than what the phone says of itself."""
    for uri in (received, address):
        if named := _TRANSPORT.search(uri):
            return named[1].lower()
    return socket.partition(":")[0].lower() or "udp"
