"""Who may sign in: users with an id that never changes, their roles and passwords, in SQLite or PostgreSQL."""

from ari_bridge.accounts.accounts import Accounts
from ari_bridge.accounts.errors import AccountsUnavailable
from ari_bridge.accounts.identities import Entitlement, Identities, Identity, IdentityRefused, Refusal
from ari_bridge.accounts.names import InvalidUser, check_name, is_name
from ari_bridge.accounts.user import ROLES, User

__all__ = [
    "ROLES",
    "Accounts",
    "AccountsUnavailable",
    "Entitlement",
    "Identities",
    "Identity",
    "IdentityRefused",
    "InvalidUser",
    "Refusal",
    "User",
    "check_name",
    "is_name",
]
