"""Nobody hands on more than they have: what a maker may give to a user or an API key. Pure.

It bounds API keys above all. A key with `users:manage` could otherwise make itself an admin's password, and one with
`keys:manage` a key that works from everywhere and never ends.
"""

import ipaddress
from dataclasses import dataclass

from ari_bridge.accounts.api_key import DEFAULT_GUEST_CALLS, ApiKey, check_networks, check_origins
from ari_bridge.errors import CallerError

UNRESTRICTED = "unrestricted"
"""The class of service that may dial everything: who has it gives any."""


class HandsOnTooMuch(CallerError):
    """Somebody would give more than they have."""

    code = "forbidden"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What bounds a key, besides its scopes; the fields are those of `ApiKey`, and None is not said."""

    networks: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    max_calls: int | None = None
    class_of_service: str = ""
    expires_at: float | None = None


def check_class(makers: str, given: str) -> None:
    """Whether who dials by the class of service `makers` may give a user `given`. Raises HandsOnTooMuch."""
    if makers not in (given, UNRESTRICTED):
        raise HandsOnTooMuch(
            f"An API key of the class of service {makers!r} manages users of that class only, and not of {given!r}.",
            field="classOfService",
        )


def inherited(maker: ApiKey, wanted: KeyLimits) -> KeyLimits:
    """The bounds of a key that another one makes: what is not said is as the maker's.

    Raises HandsOnTooMuch (one is wider than the maker's), InvalidUser.
    """
    return KeyLimits(
        _networks(maker, check_networks(wanted.networks)),
        _among(maker.origins, check_origins(wanted.origins), "origins"),
        _users(maker, wanted.users),
        _max_calls(maker, wanted),
        _class(maker, wanted.class_of_service),
        _expiry(maker, wanted.expires_at),
    )


def check_within(maker: ApiKey, key: ApiKey) -> None:
    """Whether the key does not go further than the one that gives it a new secret. Raises HandsOnTooMuch."""
    limits = KeyLimits(key.networks, key.origins, key.users, key.max_calls, key.class_of_service, key.expires_at)
    if inherited(maker, limits) != limits:  # it lacks a bound
        raise HandsOnTooMuch(f"The API key {key.id} is bounded less than the one that asks.", field="keyId")


def _networks(maker: ApiKey, wanted: tuple[str, ...]) -> tuple[str, ...]:
    allowed = [ipaddress.ip_network(network) for network in maker.networks]
    for text in wanted if allowed else ():
        network = ipaddress.ip_network(text)
        if not any(_covers(one, network) for one in allowed):
            raise _wider("addresses")
    return wanted or maker.networks


def _covers(
    one: ipaddress.IPv4Network | ipaddress.IPv6Network, other: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    if one.version != other.version:
        return False
    return one.network_address <= other.network_address and other.broadcast_address <= one.broadcast_address  # type: ignore[operator]


def _among(makers: tuple[str, ...], wanted: tuple[str, ...], field: str) -> tuple[str, ...]:
    if makers and not {*wanted} <= {*makers}:
        raise _wider(field)
    return wanted or makers


def _users(maker: ApiKey, wanted: tuple[str, ...]) -> tuple[str, ...]:
    if maker.for_browsers and not maker.users and wanted:  # it makes tokens for guests only
        raise _wider("users")
    return _among(maker.users, wanted, "users")


def _max_calls(maker: ApiKey, wanted: KeyLimits) -> int | None:
    if not maker.max_calls:
        return wanted.max_calls
    if wanted.max_calls is None:
        return min(maker.max_calls, DEFAULT_GUEST_CALLS) if wanted.origins else maker.max_calls
    if not 0 < wanted.max_calls <= maker.max_calls:
        raise _wider("maxCalls")
    return wanted.max_calls


def _class(maker: ApiKey, wanted: str) -> str:
    if wanted not in ("", maker.class_of_service):
        raise _wider("classOfService")
    return maker.class_of_service


def _expiry(maker: ApiKey, wanted: float | None) -> float | None:
    if maker.expires_at is not None and wanted is not None and wanted > maker.expires_at:
        raise _wider("expiresAt")
    return maker.expires_at if wanted is None else wanted


def _wider(field: str) -> HandsOnTooMuch:
    return HandsOnTooMuch(f"An API key gives no more than it has: its own `{field}` allow less.", field=field)
