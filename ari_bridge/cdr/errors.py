"""What may go wrong with call detail records. None of it ever reaches a call."""

from ari_bridge.errors import BridgeError


class CdrUnavailable(BridgeError):
    """The database cannot be used now; `reason` says which and why, without its password. Try again later."""

    code = "unavailable"
    retry_after = 5.0  # seconds

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The call detail records are unavailable: {self.reason}"


class RowsRejected(BridgeError):
    """The database works, but does not take one of these rows, and never will; `reason` has its words."""

    code = "rows_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The database rejected a call detail record: {self.reason}"
