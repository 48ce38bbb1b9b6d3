"""Who may sign in: users with an id that never changes, their roles and passwords, and the API keys of machines.

They are in SQLite or PostgreSQL.
"""

from ari_bridge.accounts.accounts import Accounts
from ari_bridge.accounts.api_key import ApiKey
from ari_bridge.accounts.errors import AccountsUnavailable
from ari_bridge.accounts.names import InvalidUser, check_name, is_name
from ari_bridge.accounts.user import ROLES, User

__all__ = ["ROLES", "Accounts", "AccountsUnavailable", "ApiKey", "InvalidUser", "User", "check_name", "is_name"]
