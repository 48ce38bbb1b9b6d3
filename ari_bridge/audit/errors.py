"""What goes wrong with the audit log."""

from ari_bridge.errors import BridgeError


class AuditUnavailable(BridgeError):
    """The audit log cannot be read or written now; `reason` says why."""

    code = "unavailable"
    retry_after = 5.0
    """Seconds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The audit log cannot be used now: {self.reason}"


class EntryRejected(BridgeError):
    """The database works, and does not take an entry; it never will."""

    code = "rejected"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The database of the audit log does not take an entry: {self.reason}"
