"""The accounts of one server: read from memory, changed in the database, and followed when another process does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from msgspec.structs import replace

from ari_bridge import tasks
from ari_bridge.accounts import passwords
from ari_bridge.accounts.api_keys import ApiKeys
from ari_bridge.accounts.changes import changes_of
from ari_bridge.accounts.database import FREED, Change, Database
from ari_bridge.accounts.errors import AccountsUnavailable, LastAdmin, UnknownUser, UserChanged, UserExists
from ari_bridge.accounts.names import InvalidUser, check_display_name, check_new_name
from ari_bridge.accounts.second_factors import SecondFactors
from ari_bridge.accounts.security_keys import SecurityKeys
from ari_bridge.accounts.sign_in_sessions import SignInSessions
from ari_bridge.accounts.signing_keys import SigningKeys
from ari_bridge.accounts.sip_passwords import NO_CREDENTIAL, SipCredential
from ari_bridge.accounts.user import DEFAULT_TENANT, ROLES, User, new_user_id
from ari_bridge.accounts.users_file import UsersFile
from ari_bridge.accounts.users_import import import_once
from ari_bridge.audit import Action, Audit, NoAudit
from ari_bridge.sql.database import CLOSE_TIMEOUT_S

FILE = "accounts.db"
POLL_INTERVAL_S = 0.5
"""What another process has changed is known that soon."""
PURGE_INTERVAL_S = 3600.0

log = structlog.get_logger(__name__)

Listener = Callable[[User], None]


@dataclass(frozen=True, slots=True)
class Target:
    """The user that a change is meant for, as it was seen.

    Args:
        id: The user's.
        revision: The user's when it was read; None: whatever has happened since.
        generation: The same, where only another password, a lock and the like matter.
    """

    id: str
    revision: int | None = None
    generation: int | None = None

    def matches(self, user: User) -> bool:
        return (
            user.id == self.id and self.revision in (None, user.revision) and self.generation in (None, user.generation)
        )


class Accounts:
    """Users, by name and by id.

    Args:
        state_dir: Where `accounts.db` is, without a `url`.
        users_file: Imported once, when there is no database yet.
        url: Of a PostgreSQL, or "".
        min_password: Characters that a new password needs.
        audit: Where changes are recorded, in the name of whoever makes them (`audit.acting`).
        token_secret_file: The secret that earlier versions signed tokens with: imported once, as the first signing key.

    Attributes:
        keys: Those that sign tokens.
        sessions: What users have signed in to.

    Raises ValueError if the URL is not one of PostgreSQL.
    """

    def __init__(
        self,
        state_dir: Path,
        users_file: Path,
        *,
        url: str = "",
        min_password: int = passwords.MIN_CHARACTERS,
        token_secret_file: Path | None = None,
        audit: Audit | None = None,
    ) -> None:
        self.audit: Audit = audit or NoAudit()
        self._database = Database(url, state_dir / FILE)
        self.api_keys = ApiKeys(self._database, self.changing, self.audit)
        self._file = UsersFile(users_file)
        self.min_password = min_password
        self._secret_file = token_secret_file
        self.keys = SigningKeys(self._database, self.changing, self.audit)
        self.sessions = SignInSessions(self._database, self.changing)
        self._by_id: dict[str, User] = {}
        self._by_name: dict[str, User] = {}
        self._freed: dict[str, float] = {}  # when a name was a user's for the last time
        self._sorted: list[User] | None = None  # of `_by_name`, while it does not change
        self._revision = -1
        self._listeners: list[Listener] = []
        self._session_listeners: list[Callable[[], None]] = []
        self._reading = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self.second_factors = SecondFactors(self._database, self.changing, self.audit)
        self.security_keys = SecurityKeys(self._database, self.changing, self.audit)
        self.trouble = "it has not been opened yet"

    # --- life ------------------------------------------------------------------------

    async def open(self) -> None:
        """Make the database if there is none, import the users file, and read the users. Idempotent.

        Raises AccountsUnavailable, InvalidUser (the users file).
        """
        if self._revision >= 0:
            return
        await self._database.open()
        await self._import()
        await self._read()
        self.trouble = ""

    async def start(self) -> None:
        """Never fails: a database that is away is tried again, and until then nobody signs in."""
        await self._try()
        self._following = asyncio.create_task(self._follow(), name="accounts")

    async def close(self) -> None:
        self._closing.set()
        await tasks.finish(self._following, within=CLOSE_TIMEOUT_S)
        with suppress(AccountsUnavailable):
            await self.api_keys.write_used()
        await self._database.close()

    async def _follow(self) -> None:
        purge_at = 0.0
        while not await tasks.wait_at_most(self._closing, POLL_INTERVAL_S):
            self.api_keys.tell_ended()
            await self._try()
            if not self.trouble and time.monotonic() >= purge_at:
                purge_at = time.monotonic() + PURGE_INTERVAL_S
                await self._purge()

    async def _purge(self) -> None:
        try:
            await self.sessions.purge(time.time())
            await self.keys.purge(time.time())
        except AccountsUnavailable as error:
            log.info("what has expired is not deleted yet", reason=str(error))

    async def _try(self) -> None:
        try:
            await self.open()
            if await self._database.revision() != self._revision:
                await self._read()
            await self.api_keys.write_used_if_due()
            self.trouble = ""
        except (AccountsUnavailable, InvalidUser, OSError) as error:
            if str(error) != self.trouble:
                log.error("the users cannot be read: nobody signs in who has not before", reason=str(error))
            self.trouble = str(error)

    async def _import(self) -> None:
        content = await asyncio.to_thread(self._file.content)
        async with self._database.changing() as change:
            is_secret_imported = await self.keys.create_first(change, self._secret_file)
            users = await import_once(change, self._file, content)
        if is_secret_imported:
            log.info("the token secret was imported, and the file is not read again", file=str(self._secret_file))
        if users:
            log.info("the users file was imported", file=str(self._file.path), users=users)
            self.audit.record(Action.USER_CREATE, file=str(self._file.path), users=users)

    async def _read(self) -> None:
        async with self._reading:
            first = self._revision < 0
            revision, changed = await self._database.changed_since(self._revision)
            await self.keys.read()
            ended = await self.sessions.read(self._revision)
            for user in changed:
                self._take(user)
            await self.api_keys.read()
            self._revision = revision
        for user in () if first else changed:
            for listener in self._listeners:
                listener(user)
        for told in self._session_listeners if ended and not first else ():
            told()

    def _take(self, user: User) -> None:
        self._sorted = None
        before = self._by_id.get(user.id)
        if before and self._by_name.get(before.name) is before:
            del self._by_name[before.name]
        if before and before.name != user.name:
            self._freed[before.name] = user.name_since
        if user.removed_at is not None:
            self._freed[user.name] = max(user.removed_at, self._freed.get(user.name, 0.0))
        self._by_id[user.id] = user
        if user.removed_at is None:
            self._by_name[user.name] = user

    # --- from memory -----------------------------------------------------------------

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with each user that has changed, whoever has changed it; soon after it, and never late."""
        self._listeners.append(listener)

    def on_sessions_end(self, listener: Callable[[], None]) -> None:
        """Call `listener` after sessions have ended by themselves (`sessions.is_ended`), whoever has ended them."""
        self._session_listeners.append(listener)

    def find(self, name: str) -> User | None:
        """The user of this name, locked or not."""
        return self._by_name.get(name)

    def by_id(self, user_id: str) -> User | None:
        """Also one that was removed."""
        return self._by_id.get(user_id)

    def freed_at(self, name: str) -> float:
        """When the last user who had the name lost it, Unix seconds, as far as is known here; 0: there was none."""
        return self._freed.get(name, 0.0)

    def names(self) -> list[str]:
        """Of those who may sign in."""
        return sorted(name for name, user in self._by_name.items() if user.active)

    def all(self) -> list[User]:
        """Those who have not been removed, by name."""
        if self._sorted is None:
            self._sorted = [self._by_name[name] for name in sorted(self._by_name)]
        return list(self._sorted)

    def verify(self, name: str, password: str) -> bool:
        """Whether this is the password of a user who may sign in. Run it in a thread (passwords.py)."""
        user = self._by_name.get(name)
        return passwords.verify(user.password_hash if user and user.active else None, password)

    # --- changes ---------------------------------------------------------------------

    async def add(
        self,
        name: str,
        password_hash: str,
        *,
        roles: Iterable[str] = ("user",),
        class_of_service: str = "",
        display_name: str = "",
        must_change_password: bool = False,
    ) -> User:
        """Raises InvalidUser, UserExists, AccountsUnavailable."""
        now = time.time()
        user = User(
            id=new_user_id(),
            name=check_new_name(name),
            name_since=now,
            display_name=check_display_name(display_name),
            roles=_checked(roles),
            class_of_service=class_of_service,
            must_change_password=must_change_password,
            password_hash=password_hash,
            created_at=now,
        )
        async with self.changing() as change:
            if await change.find(DEFAULT_TENANT, name):
                raise UserExists(name)
            [stored] = await change.insert([user])
        self.record_change(None, stored)
        return stored

    async def set_password(
        self, name: str, password_hash: str, *, must_change: bool = False, target: Target | None = None
    ) -> User:
        """All that the user has signed in to ends. Raises as `update`."""
        return await self._change(
            name,
            lambda user: replace(
                user,
                password_hash=password_hash,
                must_change_password=must_change,
                generation=user.generation + 1,
            ),
            target,
        )

    async def rehash(self, user: User, password_hash: str) -> None:
        """Store the same password with another hash; sessions stay valid. Raises AccountsUnavailable."""
        try:
            await self._change(
                user.name,
                lambda now: (
                    replace(now, password_hash=password_hash) if now.password_hash == user.password_hash else now
                ),
            )
        except InvalidUser:
            pass  # removed meanwhile

    async def set_locked(self, name: str, locked: bool, target: Target | None = None) -> User:
        """A lock ends all that the user has signed in to. Raises LastAdmin, and as `update`."""
        return await self._change(
            name, lambda user: replace(user, locked=locked, generation=user.generation + int(locked)), target
        )

    async def update(
        self,
        name: str,
        *,
        roles: Iterable[str] | None = None,
        class_of_service: str | None = None,
        display_name: str | None = None,
        target: Target | None = None,
    ) -> User:
        """Replace what is given.

        Args:
            roles: In place of those before.
            class_of_service: The dial permissions' class; "": that of the user's roles.
            display_name: See `User`.
            target: The user that is meant, if it was looked up before.

        Raises InvalidUser, UnknownUser, LastAdmin, UserChanged (it is not `target` any more), AccountsUnavailable.
        """
        changes: dict[str, object] = {}
        if roles is not None:
            changes["roles"] = _checked(roles)
        if class_of_service is not None:
            changes["class_of_service"] = class_of_service
        if display_name is not None:
            changes["display_name"] = check_display_name(display_name)
        return await self._change(name, lambda user: replace(user, **changes), target)

    async def set_sip_credential(self, name: str, credential: SipCredential, target: Target | None = None) -> User:
        """Of a new SIP password, in place of the one before; NO_CREDENTIAL removes it. Raises as `update`."""
        return await self._change(name, lambda user: with_credential(user, credential), target)

    async def set_roles(self, name: str, roles: Iterable[str]) -> User:
        """In place of those before. Raises as `update`."""
        return await self.update(name, roles=roles)

    async def set_class_of_service(self, name: str, class_of_service: str) -> User:
        """Raises as `update`."""
        return await self.update(name, class_of_service=class_of_service)

    async def end_sessions(self, name: str, target: Target | None = None) -> User:
        """All that the user has signed in to ends. Raises as `update`."""
        return await self._change(name, lambda user: replace(user, generation=user.generation + 1), target)

    async def rename(self, name: str, new: str, target: Target | None = None) -> User:
        """The user stays the same, with another name; tokens of the old name end, and so does the SIP password.

        Raises UserExists, and as `update`.
        """
        check_new_name(new)
        async with self.changing() as change:
            user = await self._wanted(change, name, target)
            if await change.find(user.tenant, new):
                raise UserExists(new)
            moved = replace(user, name=new, name_since=time.time(), generation=user.generation + 1)
            renamed = with_credential(moved, NO_CREDENTIAL)
            await change.set_note(FREED + name, repr(renamed.name_since))
            changed = await change.update(renamed)
        self.record_change(user, changed)
        return changed

    async def remove(self, name: str, target: Target | None = None) -> User:
        """The id is never used again, and what was kept under the name is nobody's. Raises as `set_locked`."""
        return await self._change(
            name,
            lambda user: replace(
                with_credential(user, NO_CREDENTIAL),
                removed_at=time.time(),
                password_hash="",
                generation=user.generation + 1,
            ),
            target,
        )

    async def free_since(self, name: str) -> float:
        """As `freed_at`, and from the database who had another name before. Raises AccountsUnavailable."""
        return max(self.freed_at(name), await self._database.freed_at(name))

    async def forget_pending(self) -> list[str]:
        """Names of removed users of whom something may be kept elsewhere yet. Raises AccountsUnavailable."""
        return await self._database.forget_pending()

    async def forgotten(self, names: list[str]) -> None:
        """Nothing is kept of the removed users of these names any more. Raises AccountsUnavailable."""
        async with self.changing() as change:
            await change.forgotten(names)

    def check_password(self, password: str, name: str) -> None:
        """Raises InvalidUser."""
        passwords.check(password, name, min_characters=self.min_password)

    async def _change(self, name: str, change_user: Callable[[User], User], target: Target | None = None) -> User:
        async with self.changing() as change:
            before = await self._wanted(change, name, target)
            after = change_user(before)
            if before.administers and not after.administers and not await change.has_other_admin(before):
                raise LastAdmin(name)
            changed = await change.update(after)
        self.record_change(before, changed)
        return changed

    def record_change(self, before: User | None, after: User) -> None:
        """Tell the audit log, once the change is stored. `before`: None if the user was made."""
        for action, details in changes_of(before, after):
            self.audit.record(action, (before or after).name, details={"id": after.id, **details})

    async def _wanted(self, change: Change, name: str, target: Target | None) -> User:
        user = await change.find(DEFAULT_TENANT, name)
        if user is None:
            raise UnknownUser(name)
        if target and not target.matches(user):
            raise UserChanged(name)
        return user

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Change]:
        """One change of the users: all of it or nothing, and in memory afterwards. Raises AccountsUnavailable."""
        await self.open()
        async with self._database.changing() as change:
            yield change
        await self._read()


def _checked(roles: Iterable[str]) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(roles))
    for role in given:
        if role not in ROLES:
            raise InvalidUser(f"there is no role {role[:40]!r}, but {', '.join(ROLES)}", "role")
    return given or ("user",)


def with_credential(user: User, credential: SipCredential) -> User:
    return replace(user, sip_realm=credential.realm, sip_ha1=credential.ha1, sip_ha1_sha256=credential.ha1_sha256)
