"""What a user signs in with besides the password: an authenticator app (TOTP), and recovery codes for its loss.

Stored in the database of accounts. What is here knows no code and no clock of the app: `totp.py` does. Security keys,
which a user may have as well or instead, are in `security_keys.py`; the recovery codes are for both.
"""

import hashlib
import secrets
import time
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from ari_bridge.accounts.database import Change, Changing, Database
from ari_bridge.accounts.errors import SecondFactorExists, UnknownUser, UserChanged
from ari_bridge.accounts.schema import recovery_codes, second_factors, security_keys
from ari_bridge.accounts.user import User
from ari_bridge.audit import Action, Audit

RECOVERY_CODES = 10
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without those that look alike on paper
_GROUPS, _GROUP = 4, 4  # 80 bits: nobody guesses one, also with the hashes in hand


class TotpFactor(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticator app. Times are Unix seconds.

    Args:
        secret: As `totp.SecretKey` has sealed it.
        last_step: The time step of the last code that was used: neither it nor an earlier one is taken again.
    """

    id: str
    secret: str
    last_step: int
    created_at: float
    last_used_at: float


class SecondFactors:
    """Those of all users. Every method raises AccountsUnavailable.

    Args:
        database: Where they are.
        changing: Makes one change of the accounts that everybody reads anew.
        audit: Where it is recorded that one was set up or removed.
    """

    def __init__(self, database: Database, changing: Changing, audit: Audit) -> None:
        self._database = database
        self._changing = changing
        self._audit = audit

    async def of(self, user: User) -> TotpFactor | None:
        """The user's app; None: there is none."""
        async with self._database.reading() as connection:
            mine = second_factors.c.user_id == user.id
            row = (await connection.execute(sa.select(second_factors).where(mine))).one_or_none()
            if row is None:
                return None
        return TotpFactor(
            id=row.id,
            secret=row.secret,
            last_step=row.counter,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )

    async def recovery_codes_left(self, user: User) -> int:
        """How many were not used."""
        unused = (recovery_codes.c.user_id == user.id, recovery_codes.c.used_at.is_(None))
        async with self._database.reading() as connection:
            return await connection.scalar(sa.select(sa.func.count()).where(*unused)) or 0

    async def add(self, user: User, secret: str, step: int) -> tuple[User, list[str]]:
        """An authenticator app, and recovery codes, which are stored nowhere else; none if the user has some already.

        `step`: of the code that has proved that the app has the secret. Raises SecondFactorExists (also one that was
        set up meanwhile, with another server too), UnknownUser, UserChanged (another password, a lock).
        """
        now = time.time()
        async with self._changing() as change:
            current = await unchanged(change, user)
            if await _count(change, second_factors, user):
                raise SecondFactorExists
            values = {"kind": "totp", "secret": secret, "counter": step, "created_at": now, "last_used_at": now}
            row = {"id": f"2nd_{secrets.token_hex(8)}", "user_id": user.id, **values}
            await change.connection.execute(sa.insert(second_factors).values(row))
            changed, codes = await factor_added(change, user, current)
        self._audit.record(Action.SECOND_FACTOR_ADD, user.name, kind="totp")
        return changed, codes

    async def use_step(self, factor: TotpFactor, step: int) -> bool:
        """Whether the code of this step may be used: it was not, and no later one. It is used from now on."""
        table = second_factors
        unused = (table.c.id == factor.id, table.c.counter < step)
        async with self._database.transaction() as connection:
            values = {"counter": step, "last_used_at": time.time()}
            used = await connection.execute(sa.update(table).where(*unused).values(values))
        return used.rowcount == 1

    async def use_recovery_code(self, user: User, code: str) -> bool:
        """Whether it is one of the user's that was not used; it is used from now on."""
        table = recovery_codes
        unused = (table.c.user_id == user.id, table.c.code_hash == digest_of(code), table.c.used_at.is_(None))
        async with self._database.transaction() as connection:
            used = await connection.execute(sa.update(table).where(*unused).values(used_at=time.time()))
        return used.rowcount == 1

    async def new_recovery_codes(self, user: User) -> list[str]:
        """In place of all before. Raises UnknownUser, UserChanged: also if there is no second factor any more."""
        async with self._changing() as change:
            if not (await unchanged(change, user)).second_factor:
                raise UserChanged(user.name)
            return await _new_codes(change, user)

    async def remove(self, user: User) -> User:
        """The app goes; without a security key the password suffices from now on. Raises UnknownUser, UserChanged."""
        async with self._changing() as change:
            current = await unchanged(change, user)
            await change.connection.execute(sa.delete(second_factors).where(second_factors.c.user_id == user.id))
            changed = await factor_removed(change, current)
        self._audit.record(Action.SECOND_FACTOR_REMOVE, user.name, kind="totp")
        return changed

    async def reset(self, user: User, *, revision: int | None = None) -> User:
        """All that the user has goes, and all that the user has signed in to ends.

        Raises UnknownUser (removed meanwhile), UserChanged. `revision`: the user's when it was read; None: whatever has
        happened since.
        """
        async with self._changing() as change:
            current = await _current(change, user)
            if revision not in (None, current.revision):
                raise UserChanged(user.name)
            for table in (second_factors, security_keys, recovery_codes):
                await change.connection.execute(sa.delete(table).where(table.c.user_id == user.id))
            changed = await change.update(replace(current, second_factor=False, generation=current.generation + 1))
        self._audit.record(Action.SECOND_FACTOR_REMOVE, user.name, kind="all")
        return changed


def digest_of(code: str) -> str:
    """What is stored of a recovery code, however it is written."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


async def _current(change: Change, user: User) -> User:
    current = await change.find(user.tenant, user.name)
    if current is None or current.id != user.id:
        raise UnknownUser(user.name)
    return current


async def unchanged(change: Change, user: User) -> User:
    """What was proved for `user` holds yet: no other password was set meanwhile, nor was the user locked.

    Raises UnknownUser, UserChanged.
    """
    current = await _current(change, user)
    if current.generation != user.generation:
        raise UserChanged(user.name)
    return current


async def factor_added(change: Change, user: User, current: User) -> tuple[User, list[str]]:
    """The user as it is now, and recovery codes if it is the first factor.

    Raises SecondFactorExists: there was none when `user` proved to be allowed to add one, and there is one now.
    """
    if current.second_factor:
        if not user.second_factor:
            raise SecondFactorExists
        return current, []
    codes = await _new_codes(change, current)
    return await change.update(replace(current, second_factor=True)), codes


async def factor_removed(change: Change, current: User) -> User:
    """The user as it is now. With the last one the recovery codes go."""
    if await _count(change, second_factors, current) or await _count(change, security_keys, current):
        return current
    await change.connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == current.id))
    return await change.update(replace(current, second_factor=False))


async def _count(change: Change, table: sa.Table, user: User) -> int:
    return await change.connection.scalar(sa.select(sa.func.count()).where(table.c.user_id == user.id)) or 0


async def _new_codes(change: Change, user: User) -> list[str]:
    await change.connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == user.id))
    codes = ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]
    await change.connection.execute(sa.insert(recovery_codes), [*_rows(user, codes)])
    return codes


def _rows(user: User, codes: Iterable[str]) -> Iterable[dict[str, str]]:
    return ({"user_id": user.id, "code_hash": digest_of(code)} for code in codes)


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))
