"""Who may sign in: users with an id that never changes, their roles and passwords, and the API keys of machines.

They are in SQLite or PostgreSQL.
"""

from ari_bridge.accounts.accounts import Accounts, Target
from ari_bridge.accounts.administration import NewPassword, UserAdministration, UserQuery
from ari_bridge.accounts.api_key import ApiKey
from ari_bridge.accounts.errors import (
    AccountsUnavailable,
    LastAdmin,
    SecondFactorExists,
    UnknownUser,
    UserChanged,
    UserExists,
)
from ari_bridge.accounts.identities import Entitlement, Identities, Identity, IdentityRefused, Refusal
from ari_bridge.accounts.names import InvalidUser, check_name, is_name
from ari_bridge.accounts.user import ADMIN, ROLES, User

__all__ = [
    "ADMIN",
    "ROLES",
    "Accounts",
    "AccountsUnavailable",
    "ApiKey",
    "Entitlement",
    "Identities",
    "Identity",
    "IdentityRefused",
    "InvalidUser",
    "LastAdmin",
    "NewPassword",
    "Refusal",
    "SecondFactorExists",
    "Target",
    "UnknownUser",
    "User",
    "UserAdministration",
    "UserChanged",
    "UserExists",
    "UserQuery",
    "check_name",
    "is_name",
]
