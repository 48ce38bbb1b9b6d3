"""What may go wrong with accounts.

InvalidUser             a name, a password or a users file cannot be used (names.py)
├── UnknownUser         there is no user of the name
├── UserExists          there is one already
├── LastAdmin           nobody would be left who gives roles
├── UserChanged         somebody else has changed the user since it was read
└── SecondFactorExists  the user has one already
AccountsUnavailable     the database cannot be used now
"""

from ari_bridge.accounts.names import InvalidUser
from ari_bridge.errors import Unavailable


class UnknownUser(InvalidUser):
    code = "unknown_user"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no user {name[:80]}.")


class UserExists(InvalidUser):
    code = "user_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a user {name} already.", "name")


class LastAdmin(InvalidUser):
    """Locking, removing or demoting the only admin would leave nobody who could undo it."""

    code = "last_admin"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the only admin who can sign in. Give another user the role admin first.", field=None
        )


class UserChanged(InvalidUser):
    """What was to be changed is not what was read."""

    code = "changed_meanwhile"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was changed by somebody else in the meantime. Look at it again, and decide anew.", field=None
        )


class SecondFactorExists(InvalidUser):
    """A second factor is replaced by nobody who has not proved to have it: it is removed first, with a code."""

    def __init__(self) -> None:
        super().__init__(
            "You have an authenticator app already. Remove it first, with your password and a code.", field=None
        )


class AccountsUnavailable(Unavailable):
    """The database of users cannot be used now; `reason` says which and why, without its password."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, retry_after=5.0)

    def __str__(self) -> str:
        return f"The users cannot be read or changed now: {self.reason}"
