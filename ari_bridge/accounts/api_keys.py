"""The API keys of one server: read from memory, changed in the database of users, and followed as users are.

When a key was last used is written once a minute at most, beside all that: it is no change that anybody must follow.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

import sqlalchemy as sa
import structlog
from msgspec.structs import replace

from ari_bridge.accounts import api_key
from ari_bridge.accounts.api_key import ApiKey
from ari_bridge.accounts.database import Change, Database
from ari_bridge.accounts.names import InvalidUser, check_name
from ari_bridge.accounts.schema import api_keys
from ari_bridge.audit import Action, Audit

LAST_USED_INTERVAL_S = 60.0
MAX_KEYS = 1000
"""Keys that are neither revoked nor expired."""
MAX_OVERLAP_S = 30 * 86400.0
_LISTS = ("scopes", "networks", "origins", "users")

log = structlog.get_logger(__name__)

Listener = Callable[[ApiKey], None]


class ApiKeys:
    """Keys, by id. `Accounts` opens the database, and calls what follows it.

    Args:
        database: Where the keys are.
        changing: One change of it; raises AccountsUnavailable.
        audit: Who has changed keys.
    """

    def __init__(
        self, database: Database, changing: Callable[[], AbstractAsyncContextManager[Change]], audit: Audit
    ) -> None:
        self._audit = audit
        self._database = database
        self._changing = changing
        self._by_id: dict[str, ApiKey] = {}
        self._revision = -1
        self._listeners: list[Listener] = []
        self._ends: dict[str, float] = {}  # when a key or its previous secret ends by itself, if that is to come
        self._used: dict[str, float] = {}  # last use of each key, Unix seconds, if it is not written yet
        self._written_at = 0.0

    # --- from memory -----------------------------------------------------------------

    def find(self, key_id: str) -> ApiKey | None:
        """Also one that is revoked or has expired."""
        found = self._by_id.get(key_id)
        used = self._used.get(key_id)
        return replace(found, last_used_at=used) if found and used else found

    def all(self) -> list[ApiKey]:
        """The newest first."""
        found = filter(None, map(self.find, self._by_id))
        return sorted(found, key=lambda key: (-key.created_at, key.id))

    def verify(self, key_id: str, secret: str) -> tuple[ApiKey, int] | None:
        """The key, and which of its secrets it is (`generation`); None if it is wrong, or not valid now.

        An unknown id takes as long as a wrong secret.
        """
        now = time.time()
        key = self._by_id.get(key_id)
        generation = (key or _NO_KEY).generation_of(secret, now)
        return (key, generation) if key and generation is not None and key.valid(now) else None

    def holds(self, key_id: str, generation: int) -> bool:
        """Whether what was signed in by that secret of the key is still valid."""
        key, now = self._by_id.get(key_id), time.time()
        return key is not None and key.valid(now) and key.accepts_generation(generation, now)

    def used(self, key_id: str) -> None:
        self._used[key_id] = time.time()

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with each key that has changed or expired, whoever has changed it."""
        self._listeners.append(listener)

    # --- following ---------------------------------------------------------------------

    async def read(self) -> None:
        """What has changed since. Raises AccountsUnavailable."""
        first = self._revision < 0
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(api_keys).where(api_keys.c.revision > self._revision))).all()
        changed = [_key(row) for row in rows]
        for key in changed:
            self._by_id[key.id] = key
            self._expect_end(key)
        self._revision = max([self._revision, 0, *(row.revision for row in rows)])
        if not first:
            self._tell(changed)

    def tell_ended(self) -> None:
        """Tell of keys, and of secrets before a rotation, whose time has come."""
        now = time.time()
        ended = [key_id for key_id, at in self._ends.items() if at <= now]
        for key_id in ended:
            self._expect_end(self._by_id[key_id])
        self._tell([self._by_id[key_id] for key_id in ended])

    async def write_used_if_due(self) -> None:
        """Raises AccountsUnavailable."""
        now = time.time()
        if self._used and not 0 <= now - self._written_at < LAST_USED_INTERVAL_S:
            self._written_at = now
            await self.write_used()

    async def write_used(self) -> None:
        """Raises AccountsUnavailable."""
        used = dict(self._used)
        if not used:
            return
        await self._database.set_last_used(used)
        for key_id, at in used.items():
            self._by_id[key_id] = replace(self._by_id[key_id], last_used_at=at)
            if self._used.get(key_id) == at:
                del self._used[key_id]

    def _expect_end(self, key: ApiKey) -> None:
        now = time.time()
        ends = [at for at in (key.expires_at, key.previous_until) if at is not None and at > now]
        self._ends.pop(key.id, None)
        if ends and key.revoked_at is None:
            self._ends[key.id] = min(ends)

    def _tell(self, keys: Iterable[ApiKey]) -> None:
        for key in keys:
            for listener in self._listeners:
                listener(key)

    # --- changes ---------------------------------------------------------------------------

    async def create(
        self,
        label: str,
        scopes: Iterable[str],
        *,
        networks: Iterable[str] = (),
        origins: Iterable[str] = (),
        users: Iterable[str] = (),
        max_calls: int | None = None,
        class_of_service: str = "",
        expires_at: float | None = None,
        created_by: str = "",
    ) -> tuple[ApiKey, str]:
        """The key and its secret, which is not kept. Raises InvalidUser, AccountsUnavailable."""
        now = time.time()
        if sum(key.valid(now) for key in self._by_id.values()) >= MAX_KEYS:
            raise InvalidUser(f"there are {MAX_KEYS} keys already: revoke those that are not used", "label")
        if expires_at is not None and expires_at <= now:
            raise InvalidUser("the key would have expired already", "expiresAt")
        secret, origins = api_key.new_secret(), api_key.check_origins(tuple(origins))
        if max_calls is None:
            max_calls = api_key.DEFAULT_GUEST_CALLS if origins else 0
        key = ApiKey(
            id=api_key.new_id(),
            label=api_key.check_label(label),
            scopes=tuple(dict.fromkeys(scopes)),
            networks=api_key.check_networks(tuple(networks)),
            origins=origins,
            users=_checked_users(tuple(users)),
            max_calls=max_calls,
            class_of_service=class_of_service,
            secret_hash=api_key.hash_secret(secret),
            expires_at=expires_at,
            created_by=created_by,
            created_at=now,
        )
        async with self._changing() as change:
            await change.connection.execute(sa.insert(api_keys).values(**_row(key), revision=change.revision))
        self._audit.record(Action.KEY_CREATE, key.id, label=key.label, scopes=",".join(key.scopes))
        log.info("an API key was created", key=key.id, label=key.label, scopes=key.scopes, by=created_by or None)
        return key, secret

    async def rotate(self, key_id: str, overlap: float) -> tuple[ApiKey, str]:
        """Another secret; the one before stays valid for `overlap` seconds. Raises InvalidUser, AccountsUnavailable."""
        if not 0 <= overlap <= MAX_OVERLAP_S:
            raise InvalidUser(f"the overlap is 0 to {MAX_OVERLAP_S:.0f} seconds", "overlapSeconds")
        now, secret = time.time(), api_key.new_secret()
        async with self._changing() as change:
            before = await _wanted(change, key_id)
            if not before.valid(now):
                raise InvalidUser(f"{before.id} is no longer valid: make another key", "keyId")
            key = replace(
                before,
                secret_hash=api_key.hash_secret(secret),
                previous_hash=before.secret_hash,
                previous_until=now + overlap,
                generation=before.generation + 1,
            )
            await _update(change, key)
        self._audit.record(Action.KEY_ROTATE, key.id, label=key.label, overlap=overlap)
        log.info("an API key was rotated", key=key.id, overlap=overlap)
        return key, secret

    async def revoke(self, key_id: str) -> ApiKey:
        """All that it has signed in ends. Raises InvalidUser, AccountsUnavailable."""
        async with self._changing() as change:
            key = await _wanted(change, key_id)
            if key.revoked_at is not None:
                return key
            key = replace(key, revoked_at=time.time())
            await _update(change, key)
        self._audit.record(Action.KEY_REVOKE, key.id, label=key.label)
        log.info("an API key was revoked", key=key.id, label=key.label)
        return key


_NO_KEY = ApiKey(id="", label="", scopes=(), secret_hash=api_key.hash_secret(api_key.new_secret()), created_at=0.0)


async def _wanted(change: Change, key_id: str) -> ApiKey:
    row = (await change.connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id))).one_or_none()
    if row is None:
        raise InvalidUser(f"there is no API key {key_id[:40]}", "keyId")
    return _key(row)


async def _update(change: Change, key: ApiKey) -> None:
    values = {name: value for name, value in _row(key).items() if name != "last_used_at"}
    await change.connection.execute(
        sa.update(api_keys).where(api_keys.c.id == key.id).values(**values, revision=change.revision)
    )


def _checked_users(users: tuple[str, ...]) -> tuple[str, ...]:
    if len(users) > api_key.MAX_ENTRIES:
        raise InvalidUser(f"at most {api_key.MAX_ENTRIES} entries are taken", "users")
    return tuple(map(check_name, users))


def _row(key: ApiKey) -> dict[str, Any]:
    row = {name: getattr(key, name) for name in ApiKey.__struct_fields__}
    return row | {name: ",".join(row[name]) for name in _LISTS}


def _key(row: sa.Row[Any]) -> ApiKey:
    values = {name: getattr(row, name) for name in ApiKey.__struct_fields__}
    return ApiKey(**(values | {name: tuple(filter(None, values[name].split(","))) for name in _LISTS}))
