"""What is kept under the name of a user who is removed: deleted, before another user can have the name.

The user's connections are ended by `api/live_rights.py`.
"""

import structlog

from ari_bridge.accounts import Accounts, AccountsUnavailable, User
from ari_bridge.errors import BridgeError
from ari_bridge.tasks import TaskSet
from frontend.presence.preferences import UserServices

CLOSE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


class RemovedUsers:
    """Follows the accounts. Call records and recordings need nothing: who has the name later does not see them."""

    def __init__(self, accounts: Accounts, services: UserServices) -> None:
        self._accounts = accounts
        self._services = services
        self._tasks = TaskSet()
        accounts.on_change(self._changed)

    def start(self) -> None:
        self._tasks.start(self._forget())

    async def close(self) -> None:
        await self._tasks.finish(CLOSE_TIMEOUT_S)

    def _changed(self, user: User) -> None:
        self._services.directory.changed()
        if user.removed_at is not None:
            self.start()

    async def _forget(self) -> None:
        try:
            names = await self._accounts.forget_pending()
            for name in names:
                await self._services.forget(name)
            if names:
                await self._accounts.forgotten(names)
        except (AccountsUnavailable, BridgeError) as error:
            log.error("preferences of removed users could not be deleted: tried at the next start", reason=str(error))
