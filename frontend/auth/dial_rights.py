"""What the accounts say of a user's or an API key's class of service, for dial permissions."""

import time

from ari_bridge.accounts import Accounts, User
from ari_bridge.dial_permissions import DialRights
from ari_bridge.guest_names import guest_key
from frontend.auth.api_keys import MACHINE
from frontend.auth.grants import Grant, grants_of


class AccountDialRights:
    """The `ClassOfServiceSource` of a server with users.

    Args:
        accounts: The users; none of them if sign-in is off.
        required: Whether sign-in is on, so that only users are known; else everybody is who they say.
    """

    def __init__(self, accounts: Accounts, *, required: bool = True) -> None:
        self._accounts = accounts
        self._required = required

    def dial_rights(self, user: str) -> DialRights:
        if key := self._accounts.api_keys.find(guest_key(user) or user):
            refusal = "" if key.valid(time.time()) else "the API key has ended"
            return DialRights(key.class_of_service, (MACHINE,), key.tenant, refusal=refusal)
        found = self._accounts.find(user)
        if found is None:
            return DialRights(known=not self._required)
        return DialRights(found.class_of_service, found.roles, found.tenant, found.id, _refusal(found))


def _refusal(user: User) -> str:
    """A forward dials too, and stays when its user may dial no more."""
    if not user.active:
        return "the user is locked"
    return "" if Grant.DIAL in grants_of(user.roles) else "no role of the user has the right `dial`"
