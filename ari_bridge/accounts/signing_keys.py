"""The keys that sign tokens. Each has an id, which its tokens name (`kid`, RFC 7515 section 4.1.4).

The newest key signs, once every server has had time to read it. After a rotation the keys before it still verify,
until the last token that they can have signed has expired: nobody is signed out. A key that has leaked is revoked, and
all its tokens end at once; sign-in sessions go on, because refresh tokens are not signed.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa

from ari_bridge.accounts.database import Change, Changing, Database
from ari_bridge.accounts.errors import AccountsUnavailable
from ari_bridge.accounts.names import InvalidUser
from ari_bridge.accounts.schema import signing_keys
from ari_bridge.audit import Action, Audit

IMPORTED = "imported"
"""The id of the key that is taken over from earlier versions (TOKEN_SECRET_FILE), whose tokens name none."""
MAX_TOKEN_LIFETIME_S = 7 * 86400.0
"""The longest lifetime of a signed token of any kind, in seconds."""
CLOCK_LEEWAY_S = 120.0
"""Seconds by which the clocks of two machines may differ, or a clock may be corrected, without a sign-in failing."""
MIN_SECRET_CHARACTERS = 32
ACTIVATION_S = 5.0
"""A new key signs that long after it was read: until then all servers of the database have read it too."""
_OVERLAP_S = MAX_TOKEN_LIFETIME_S + 2 * CLOCK_LEEWAY_S


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A secret for HMAC-SHA-256.

    Args:
        created_at: Unix seconds.
        retires_at: Since another key signs: until when this one verifies, Unix seconds; None: it signs.
    """

    kid: str
    secret: str
    created_at: float
    retires_at: float | None = None


class SigningKeys:
    """Read from memory; `read` and `Accounts` keep that up to date.

    Args:
        database: Where they are.
        changing: Makes one change of the accounts.
        audit: Where it is recorded that one was rotated or revoked.
    """

    def __init__(self, database: Database, changing: Changing, audit: Audit) -> None:
        self._database = database
        self._changing = changing
        self._audit = audit
        self._by_kid: dict[str, SigningKey] = {}
        self._read_at: dict[str, float] = {}  # by `time.monotonic`, so that no clock has to be right

    # --- from memory -----------------------------------------------------------------

    def current(self) -> SigningKey:
        """The one that signs. Raises AccountsUnavailable if the database has not been read yet."""
        keys = self.all()
        if not keys:
            raise AccountsUnavailable("the keys that sign tokens have not been read yet")
        known = time.monotonic() - ACTIVATION_S
        return next((key for key in keys if self._read_at[key.kid] <= known), keys[0])

    def find(self, kid: str | None, now: float) -> SigningKey | None:
        """The key that verifies a token of this `kid`; None if there is none. `now`: Unix seconds."""
        key = self._by_kid.get(IMPORTED if kid is None else kid)
        return key if key and (key.retires_at is None or now < key.retires_at) else None

    def all(self) -> list[SigningKey]:
        """The one that signs or will sign, then those before it."""
        return sorted(self._by_kid.values(), key=lambda key: (key.retires_at is None, key.created_at), reverse=True)

    # --- the database ----------------------------------------------------------------

    async def read(self) -> None:
        """Raises AccountsUnavailable."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(signing_keys))).mappings().all()
        names = SigningKey.__struct_fields__
        keys = [SigningKey(**{name: row[name] for name in names}) for row in rows]
        self._by_kid = {key.kid: key for key in keys}
        now = time.monotonic() - (0.0 if self._read_at else ACTIVATION_S)  # at the start all are known to others
        self._read_at = {kid: self._read_at.get(kid, now) for kid in self._by_kid}

    async def create_first(self, change: Change, file: Path | None) -> bool:
        """If there is none. `file`: where earlier versions keep the secret. Raises InvalidUser, OSError.

        The result: whether that secret is imported, once the change is stored.
        """
        if await change.connection.scalar(sa.select(sa.func.count()).select_from(signing_keys)):
            return False
        secret = await asyncio.to_thread(_secret_in, file) if file else ""
        if 0 < len(secret) < MIN_SECRET_CHARACTERS:
            raise InvalidUser(f"{file}: the token secret has {len(secret)} characters, and needs 32. Delete the file.")
        await _insert(change, [_new(IMPORTED, secret) if secret else _new()])
        return bool(secret)

    async def rotate(self) -> SigningKey:
        """A new key signs; those before verify until their last token has expired. Raises AccountsUnavailable."""
        new = _new()
        before = sa.update(signing_keys).where(signing_keys.c.retires_at.is_(None))
        async with self._changing() as change:
            await change.connection.execute(before.values(retires_at=new.created_at + _OVERLAP_S))
            await _insert(change, [new])
        self._audit.record(Action.SIGNING_KEY_ROTATE, new.kid)
        return new

    async def revoke(self, kid: str) -> None:
        """The key verifies no more; if it was the one that signs, a new one does.

        Raises InvalidUser (there is no such key), AccountsUnavailable.
        """
        current = sa.select(signing_keys.c.kid).where(signing_keys.c.retires_at.is_(None))
        async with self._changing() as change:
            signing = await change.connection.scalar(current)
            gone = await change.connection.execute(sa.delete(signing_keys).where(signing_keys.c.kid == kid))
            if not gone.rowcount:
                raise InvalidUser(f"there is no signing key {kid[:80]}", "kid")
            if kid == signing:
                await _insert(change, [_new()])
        self._audit.record(Action.SIGNING_KEY_REVOKE, kid)

    async def purge(self, now: float) -> None:
        """Drop the keys that verify no more. Raises AccountsUnavailable."""
        async with self._database.transaction() as connection:
            await connection.execute(sa.delete(signing_keys).where(signing_keys.c.retires_at < now))


def _secret_in(file: Path) -> str:
    """Raises OSError."""
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def _new(kid: str = "", secret: str = "") -> SigningKey:
    return SigningKey(
        kid=kid or f"key_{secrets.token_hex(8)}", secret=secret or secrets.token_urlsafe(48), created_at=time.time()
    )


async def _insert(change: Change, keys: Sequence[SigningKey]) -> None:
    await change.connection.execute(sa.insert(signing_keys), [msgspec.structs.asdict(key) for key in keys])
