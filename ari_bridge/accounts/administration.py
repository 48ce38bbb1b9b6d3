"""What an administrator does with users that takes more than one step of `Accounts`.

The command line (`ari-bridge user`) and the HTTP API (`/users`) use the same functions.
"""

import asyncio
import secrets
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from ari_bridge.accounts import passwords
from ari_bridge.accounts.accounts import Accounts, Target
from ari_bridge.accounts.names import InvalidUser
from ari_bridge.accounts.sip_passwords import NO_CREDENTIAL, SipCredential, new_sip_password
from ari_bridge.accounts.user import User

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike when a password is read out
_GROUP = 4
_MIN_GROUPS = 4  # 79 bits
_CONCURRENT_HASHES = 2


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Which users are listed.

    Args:
        search: Part of the name or the display name, in any case; "" for all.
        role: Only those who have it; "" for all.
        locked: Only those who are locked, or who are not; None for all.
    """

    search: str = ""
    role: str = ""
    locked: bool | None = None

    def fits(self, user: User) -> bool:
        if self.role and self.role not in user.roles:
            return False
        if self.locked is not None and user.locked is not self.locked:
            return False
        wanted = self.search.strip().lower()
        return not wanted or wanted in user.name.lower() or wanted in user.display_name.lower()


@dataclass(frozen=True, slots=True)
class UserPage:
    """`total`: how many fit the query, on all pages. `more`: whether others follow."""

    users: list[User]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class NewPassword:
    """`password`: to be shown once; it is stored nowhere."""

    user: User
    password: str


class UserAdministration:
    """Lists users, makes them, and gives them passwords.

    Args:
        accounts: Where the users are.
        classes: The names of the classes of service that there are now.
        sip_realm: For which SIP passwords are made.
    """

    def __init__(self, accounts: Accounts, classes: Callable[[], Collection[str]], sip_realm: str) -> None:
        self.accounts = accounts
        self.sip_realm = sip_realm
        self._classes = classes
        self._hashing = asyncio.Semaphore(_CONCURRENT_HASHES)

    def page(self, query: UserQuery, *, after: str = "", limit: int) -> UserPage:
        """By name, those whose name comes after `after`."""
        found = [user for user in self.accounts.all() if query.fits(user)]
        start = bisect_right(found, after, key=lambda user: user.name) if after else 0
        return UserPage(found[start : start + limit], len(found), start + limit < len(found))

    async def create(
        self,
        name: str,
        *,
        password: str | None = None,
        roles: Iterable[str] = ("user",),
        class_of_service: str = "",
        display_name: str = "",
        must_change: bool = True,
    ) -> NewPassword:
        """Make a user.

        Args:
            password: None: one is made.
            must_change: Whether the user has to choose another one at the first sign-in.

        Raises InvalidUser, UserExists, AccountsUnavailable.
        """
        self.check_class(class_of_service)
        given, hashed = await self._hash(name, password)
        user = await self.accounts.add(
            name,
            hashed,
            roles=roles,
            class_of_service=class_of_service,
            display_name=display_name,
            must_change_password=must_change,
        )
        return NewPassword(user, given)

    async def reset_password(
        self, name: str, *, password: str | None = None, must_change: bool = True, target: Target | None = None
    ) -> NewPassword:
        """Another password, as `create`; all that the user has signed in to ends. Raises as `Accounts.update`."""
        given, hashed = await self._hash(name, password)
        return NewPassword(
            await self.accounts.set_password(name, hashed, must_change=must_change, target=target), given
        )

    async def new_sip_password(self, name: str, target: Target | None = None) -> NewPassword:
        """Make one in place of the one before; what is signed in stays. Raises as `Accounts.update`."""
        password = new_sip_password()
        credential = SipCredential.of(name, self.sip_realm, password)
        return NewPassword(await self.accounts.set_sip_credential(name, credential, target), password)

    async def remove_sip_password(self, name: str, target: Target | None = None) -> User:
        """Also if there is none. Raises as `Accounts.update`."""
        return await self.accounts.set_sip_credential(name, NO_CREDENTIAL, target)

    def check_class(self, name: str) -> None:
        """Whether there is a class of service of that name; "" stands for that of the roles. Raises InvalidUser."""
        known = self._classes()
        if name and name not in known:
            raise InvalidUser(
                f"there is no class of service {name[:40]!r}, but {', '.join(sorted(known))}", "classOfService"
            )

    async def _hash(self, name: str, password: str | None) -> tuple[str, str]:
        """The password, and its hash. Raises InvalidUser."""
        given = self._generate() if password is None else password
        self.accounts.check_password(given, name)
        async with self._hashing:
            return given, await asyncio.to_thread(passwords.hash_password, given)

    def _generate(self) -> str:
        groups = max(_MIN_GROUPS, -(-self.accounts.min_password // _GROUP))
        return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(groups))
