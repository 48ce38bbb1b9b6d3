"""Calls of users who are locked or removed end: whoever has stolen a password loses what it has set up, too.

So do, at the start, calls of an earlier process whose user or API key has gone meanwhile. Calls under a name that was
given up by then end too: they are nobody's, and nobody could end them who had them.
"""

import asyncio
import time

import structlog

from ari_bridge import tasks
from ari_bridge.accounts import Accounts, AccountsUnavailable, InvalidUser, User
from ari_bridge.engine.bulk_hangup import BulkHangup
from ari_bridge.fsm.call import Call
from ari_bridge.guest_names import counted_name
from ari_bridge.hooks import CallAdopted, HookEvent, Hooks
from ari_bridge.tasks import TaskSet

RETRY_INTERVAL_S = 1.0
CLOSE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


class LockedUsers:
    """Follows the accounts until it is closed.

    Args:
        accounts: The users.
        bulk: Ends the calls. Emergency calls go on.
        hooks: Report calls of an earlier process, whose user or key may have gone while none ran.
    """

    def __init__(self, accounts: Accounts, bulk: BulkHangup, hooks: Hooks) -> None:
        self._accounts = accounts
        self._bulk = bulk
        self._tasks = TaskSet()
        self._closing = asyncio.Event()
        self._names = {user.id: user.name for user in accounts.all()}
        self._former: dict[str, dict[str, float]] = {}  # of those renamed here: until when a name was theirs
        accounts.on_change(self._on_change)
        hooks.tap(self._on_hook)

    async def close(self) -> None:
        self._closing.set()
        await self._tasks.finish(CLOSE_TIMEOUT_S)

    def _on_change(self, user: User) -> None:
        before = self._names.get(user.id, user.name)
        self._names[user.id] = user.name
        if before != user.name:
            self._former.setdefault(user.id, {})[before] = user.name_since
        if not user.active:
            for name, until in self._former.pop(user.id, {}).items():
                self._end_former(name, until, user)
            self._end(user.name, f"the user {user.name} was {'locked' if user.removed_at is None else 'removed'}")

    def _on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallAdopted) and event.call.user is not None:
            self._tasks.start(self._check_adopted(event.call, event.call.user), name="whose is an adopted call")

    async def _check_adopted(self, call: Call, name: str) -> None:
        """End it if whoever has placed or taken it may have no calls any more."""
        while not self._closing.is_set():
            try:
                await self._accounts.open()
                why = await self._why_over(name, call.created_at)
            except (AccountsUnavailable, InvalidUser, OSError):  # `Accounts` says so in the log
                await tasks.wait_at_most(self._closing, RETRY_INTERVAL_S)
                continue
            if why:
                self._bulk.end_some(lambda one: one.id == call.id, why)
            return

    async def _why_over(self, name: str, since: float) -> str:
        """ "" if it goes on. `since`: when the call began, Unix seconds. Raises AccountsUnavailable."""
        if key := self._accounts.api_keys.find(counted_name(name)):
            return "" if key.valid(time.time()) else f"the API key {key.id} has ended"
        user = self._accounts.find(name)
        if user and user.name_since <= since:
            return f"the user {name} is locked" if user.locked else ""
        given_up = await self._accounts.free_since(name) > since
        return f"the user who had the name {name} was removed or renamed" if given_up else ""

    def _end_former(self, name: str, until: float, user: User) -> None:
        """Calls from when the user had that name: who has it now keeps the own ones."""

        def is_former(call: Call) -> bool:
            return call.user == name and call.created_at < until

        self._bulk.end_some(is_former, f"the user {user.name}, who was {name}, was locked or removed")

    def _end(self, name: str, why: str) -> None:
        self._tasks.start(self._bulk.end_of_user(name, why), name="end calls of a locked user")
