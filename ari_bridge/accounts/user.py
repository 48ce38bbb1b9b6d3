"""What a user is. Pure but for the chance in a new id."""

import secrets

import msgspec

ROLES = ("user", "agent", "supervisor", "operator", "auditor", "admin")
"""What people may be; frontend/auth/grants.py says what each of them may do."""
ADMIN = "admin"
"""The role that gives roles: at least one user who may sign in keeps it, once somebody has it."""
DEFAULT_TENANT = "default"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may sign in.

    Args:
        id: Never changes, and is never used again.
        name: By which the user signs in and is called; it may change, and be another user's later.
        name_since: Since when the name is this user's (Unix seconds; 0: always). Calls and recordings of the name
            from before are not this user's.
        display_name: Who the user is, for people; "" if the name says it.
        second_factor: The password alone does not suffice (second_factors.py).
        sip_realm: The realm that the user's SIP password was made for; "" without one (sip_passwords.py).
        sip_ha1: MD5 of `name:realm:password`, hexadecimal (RFC 7616, 3.4.2): as good as the password in that realm.
        sip_ha1_sha256: The same by SHA-256.
        generation: Higher with each change that ends what the user has signed in to.
        revision: The number of the user's last change, of whatever kind; two changes never have the same.
        removed_at: When the user was removed; None: was not.
    """

    id: str
    tenant: str = DEFAULT_TENANT
    name: str
    name_since: float = 0.0
    display_name: str = ""
    roles: tuple[str, ...] = ("user",)
    class_of_service: str = ""
    locked: bool = False
    must_change_password: bool = False
    second_factor: bool = False
    sip_realm: str = ""
    sip_ha1: str = ""
    sip_ha1_sha256: str = ""
    generation: int = 1
    revision: int = 0
    password_hash: str = ""
    created_at: float = 0.0
    removed_at: float | None = None

    @property
    def active(self) -> bool:
        """May sign in."""
        return self.removed_at is None and not self.locked

    def may_use_sip(self, realm: str) -> bool:
        """Has a SIP password of this realm, and may sign in: its phones may register and call."""
        return self.active and bool(self.sip_ha1) and self.sip_realm == realm

    @property
    def administers(self) -> bool:
        """May sign in, and give roles."""
        return self.active and ADMIN in self.roles


def new_user_id() -> str:
    return f"usr_{secrets.token_hex(8)}"
