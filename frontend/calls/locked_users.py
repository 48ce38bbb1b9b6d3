"""Calls of users who are locked or removed end: whoever has stolen a password loses what it has set up, too."""

from ari_bridge.accounts import Accounts, User
from ari_bridge.engine.bulk_hangup import BulkHangup
from ari_bridge.hooks import CallAdopted, HookEvent, Hooks
from ari_bridge.tasks import TaskSet


class LockedUsers:
    """Follows the accounts until it is closed.

    Args:
        accounts: The users.
        bulk: Ends the calls. Emergency calls go on.
        hooks: Report calls of an earlier process, whose user may have been locked while none ran.
    """

    def __init__(self, accounts: Accounts, bulk: BulkHangup, hooks: Hooks) -> None:
        self._accounts = accounts
        self._bulk = bulk
        self._tasks = TaskSet()
        accounts.on_change(self._on_change)
        hooks.tap(self._on_hook)

    async def close(self) -> None:
        await self._tasks.cancel()

    def _on_change(self, user: User) -> None:
        if not user.active:
            self._end(user.name, f"the user {user.name} was {'locked' if user.removed_at is None else 'removed'}")

    def _on_hook(self, event: HookEvent) -> None:
        if not isinstance(event, CallAdopted) or event.call.user is None:
            return
        user = self._accounts.find(event.call.user)
        if user and user.locked:
            self._end(user.name, f"the user {user.name} is locked")

    def _end(self, name: str, why: str) -> None:
        self._tasks.start(self._bulk.end_of_user(name, why), name="end calls of a locked user")
