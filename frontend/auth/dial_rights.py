"""What the accounts say of a user's or an API key's class of service, for dial permissions."""

from ari_bridge.accounts import Accounts
from ari_bridge.dial_permissions import DialRights
from ari_bridge.guest_names import guest_key
from frontend.auth.api_keys import MACHINE


class AccountDialRights:
    """The `ClassOfServiceSource` of a server with users.

    Args:
        accounts: The users; none of them if sign-in is off.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def dial_rights(self, user: str) -> DialRights:
        if key := self._accounts.api_keys.find(guest_key(user) or user):
            return DialRights(key.class_of_service, (MACHINE,), key.tenant)
        found = self._accounts.find(user)
        return DialRights(found.class_of_service, found.roles, found.tenant, found.id) if found else DialRights()
