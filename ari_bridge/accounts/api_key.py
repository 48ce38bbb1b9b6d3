"""What an API key is: the credential of a machine, `ab_<id>_<secret>`. Pure, but for the making of secrets.

The secret has 256 random bits, so its SHA-256 is enough to keep: nobody finds it by trying (a password would need a
slow hash). It is shown once, when it is made.
"""

import hashlib
import hmac
import ipaddress
import secrets
import string
from urllib.parse import urlsplit

import msgspec

from ari_bridge.accounts.names import InvalidUser
from ari_bridge.accounts.user import DEFAULT_TENANT
from ari_bridge.guest_names import KEY_PREFIX

PREFIX = KEY_PREFIX
"""How ids begin. No user's name does, so that a key's id is also the name under which it makes calls."""
MAX_LABEL_CHARACTERS = 100
MAX_ENTRIES = 32
"""Addresses, origins, and numbers or users of one key."""
DEFAULT_GUEST_CALLS = 10
"""`max_calls` of a key for pages, unless its maker says another."""
_ID_CHARACTERS, _SECRET_CHARACTERS = 12, 43
_LOWER, _LETTERS = string.ascii_lowercase + string.digits, string.ascii_letters + string.digits

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a machine.

    Args:
        id: `ab_` and 12 letters or digits; public, never changes, and is never used again.
        label: What the key is for, in the words of its maker.
        scopes: The grants, by name (frontend/auth/grants.py).
        networks: From which addresses it may be used (CIDR); empty: from all.
        origins: Of the pages that may use it, as browsers send them; empty: none, it is for servers.
        users: For whom it makes client tokens; empty: for everybody, in a browser for nobody who is a user here.
        max_calls: Concurrent calls of the key and its guests together; 0: as many as the server allows.
        class_of_service: The dial permissions' class of its own calls, and of those of its guests; "": the default.
        secret_hash: SHA-256 of the secret, in hexadecimal.
        previous_hash: That of the secret before, which is valid until `previous_until` (Unix seconds).
        generation: The number of the secret: 1, and 1 more with each rotation.
        expires_at: Unix seconds; None: it does not.
        created_by: The name of the user, or the id of the key, that made it; "" for the command line.
        last_used_at: Unix seconds, to the minute; None: never.
        revoked_at: Unix seconds; None: it is valid.
    """

    id: str
    tenant: str = DEFAULT_TENANT
    label: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    max_calls: int = 0
    class_of_service: str = ""
    secret_hash: str
    previous_hash: str = ""
    previous_until: float = 0.0
    generation: int = 1
    expires_at: float | None = None
    created_by: str = ""
    created_at: float
    last_used_at: float | None = None
    revoked_at: float | None = None

    @property
    def for_browsers(self) -> bool:
        return bool(self.origins)

    def valid(self, now: float) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def accepts_generation(self, generation: int, now: float) -> bool:
        """Whether what the secret of this number has signed in is still valid."""
        return generation == self.generation or (generation == self.generation - 1 and now < self.previous_until)

    def generation_of(self, secret: str, now: float) -> int | None:
        """The number of this secret; None if it is none that is valid now. Takes the same time for each wrong one."""
        given = hash_secret(secret)
        current = hmac.compare_digest(given, self.secret_hash)
        previous = hmac.compare_digest(given, self.previous_hash or self.secret_hash)
        if current:
            return self.generation
        return self.generation - 1 if previous and now < self.previous_until else None

    def allows_address(self, address: str) -> bool:
        if not self.networks:
            return True
        try:
            client = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        client = getattr(client, "ipv4_mapped", None) or client
        return any(client in ipaddress.ip_network(network) for network in self.networks)


def new_id() -> str:
    return PREFIX + "".join(secrets.choice(_LOWER) for _ in range(_ID_CHARACTERS))


def new_secret() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_SECRET_CHARACTERS))


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def is_key(token: str) -> bool:
    """Whether a bearer token is an API key (a JWT never begins like one)."""
    return token.startswith(PREFIX)


def parse_key(token: str) -> tuple[str, str]:
    """The id and the secret of `ab_<id>_<secret>`; the secret is "" if there is none."""
    prefix, _, rest = token.partition("_")
    name, _, secret = rest.partition("_")
    return f"{prefix}_{name}", secret


def check_label(label: str) -> str:
    """Raises InvalidUser."""
    label = label.strip()
    if not label or len(label) > MAX_LABEL_CHARACTERS or not label.isprintable():
        raise InvalidUser(f"a label has 1 to {MAX_LABEL_CHARACTERS} printable characters", "label")
    return label


def check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    """In their usual form. Raises InvalidUser."""
    _check_count(networks, "addresses")
    try:
        return tuple(str(ipaddress.ip_network(network.strip())) for network in networks)
    except ValueError as error:
        raise InvalidUser(f"not an address or a network such as 10.1.0.0/16: {error}", "addresses") from None


def check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """In their usual form. Raises InvalidUser."""
    _check_count(origins, "origins")
    return tuple(_origin(origin) for origin in origins)


def _origin(origin: str) -> str:
    try:
        parts = urlsplit(origin.strip().lower())
        complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        complete = None
    if not complete or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidUser(f"{origin[:80]!r} is no origin such as https://app.example.com", "origins")
    return f"{parts.scheme}://{parts.netloc}"


def _check_count(entries: tuple[str, ...], field: str) -> None:
    if len(entries) > MAX_ENTRIES:
        raise InvalidUser(f"at most {MAX_ENTRIES} entries are taken", field)
