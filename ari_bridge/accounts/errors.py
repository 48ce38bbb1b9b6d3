"""What may go wrong with accounts."""

from ari_bridge.errors import Unavailable


class AccountsUnavailable(Unavailable):
    """The database of users cannot be used now; `reason` says which and why, without its password."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, retry_after=5.0)

    def __str__(self) -> str:
        return f"The users cannot be read or changed now: {self.reason}"
