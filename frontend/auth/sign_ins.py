"""Looking at passwords: not too many at once, and not too many wrong ones."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from ari_bridge.accounts import is_name
from ari_bridge.accounts.passwords import MAX_CHARACTERS
from frontend.auth.fair_queue import Crowded, Turns
from frontend.auth.sign_in_pace import MAX_DELAY_S, SignInPace, network_of

MAX_CONCURRENT_CHECKS = 2
"""Passwords that are looked at together: each takes 64 MiB and all the cores for some 50 ms."""
MAX_QUEUED_SIGN_INS = 256
"""Sign-ins that wait for that, of everybody."""
SIGN_IN_TIMEOUT_S = 15.0
"""Seconds that a sign-in waits in all, also for its turn after wrong ones. Clients wait 20 s."""
RETRY_AFTER_S = 3.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


class TooManyAttempts(Exception):
    """Too many sign-ins; `retry_after` in seconds."""

    def __init__(self, retry_after: float, why: str = "Too many failed sign-ins") -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        self._why = why

    def __str__(self) -> str:
        return f"{self._why}: try again in {max(1, round(self.retry_after))} s."


class SignIns:
    """`verify`: whether a name has a password; it is run in a thread."""

    def __init__(self, verify: Callable[[str, str], bool]) -> None:
        self._verify = verify
        self._pace = SignInPace()
        self._turns = Turns(MAX_CONCURRENT_CHECKS, MAX_QUEUED_SIGN_INS)
        # Threads of their own: what writes to the disk does not queue behind strangers' passwords.
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT_CHECKS, thread_name_prefix="passwords")

    async def check(self, user: str, password: str, address: str) -> bool:
        """Whether it is the user's password. `address`: the client's.

        Raises TooManyAttempts, and what `verify` raises.
        """
        network = network_of(address)
        if not is_name(user) or len(password) > MAX_CHARACTERS:
            log.info("sign-in refused", user=None, address=address)
            return False  # no user has this name, so there is nothing to count
        until = asyncio.get_running_loop().time() + SIGN_IN_TIMEOUT_S
        try:
            rank = self._pace.rank(user, network, time.monotonic())
            async with self._turn(network, rank, until):
                made = self._pace.begin(user, network, time.monotonic())
                right = not made.delay and await self._look(user, password)
            if 0 < made.delay <= MAX_DELAY_S:
                await asyncio.sleep(made.delay)
                async with self._turn(network, rank, until):
                    right = await self._look(user, password)
        except (Crowded, TimeoutError):
            log.warning("sign-in deferred: too many at once", address=address)
            raise TooManyAttempts(RETRY_AFTER_S, "Too many sign-ins at once") from None
        if made.delay > MAX_DELAY_S:
            log.warning("sign-in deferred: too many failed attempts", user=user, address=address)
            raise TooManyAttempts(made.delay)
        if right:
            self._pace.right(made)
        else:
            log.info("sign-in refused", user=user, address=address)
        return right

    @asynccontextmanager
    async def _turn(self, network: str, rank: int, until: float) -> AsyncIterator[None]:
        """Wait for a place. Raises TimeoutError if there is none `until` then (the loop's time), Crowded."""
        async with asyncio.timeout_at(until) as patience, self._turns.turn(network, rank):
            patience.reschedule(None)  # from here on it takes what it takes
            yield

    async def run_in_turn(self, user: str, address: str, function: Callable[..., T], *args: Any) -> T:
        """Run `function`, which costs as much as to look at a password, when it is the turn of who asks for it.

        Raises TooManyAttempts, and what `function` raises.
        """
        network = network_of(address)
        until = asyncio.get_running_loop().time() + SIGN_IN_TIMEOUT_S
        try:
            async with self._turn(network, self._pace.rank(user, network, time.monotonic()), until):
                return await self._run(function, *args)
        except (Crowded, TimeoutError):
            log.warning("a password was not hashed: too many sign-ins at once", user=user, address=address)
            raise TooManyAttempts(RETRY_AFTER_S, "Too many sign-ins at once") from None

    async def _run(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function` in one of the threads for passwords: with a turn."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    async def _look(self, user: str, password: str) -> bool:
        return await self._run(self._verify, user, password)
