"""What a user signs in with besides the password: an authenticator app (TOTP), and recovery codes for its loss.

Stored in the database of accounts. What is here knows no code and no clock of the app: `totp.py` does.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from ari_bridge.accounts.database import Change
from ari_bridge.accounts.errors import UnknownUser, UserChanged
from ari_bridge.accounts.schema import recovery_codes, second_factors
from ari_bridge.accounts.user import User
from ari_bridge.audit import Action, Audit

RECOVERY_CODES = 10
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without those that look alike on paper
_GROUPS, _GROUP = 4, 4  # 80 bits: nobody guesses one, also with the hashes in hand

Changing = Callable[[], AbstractAsyncContextManager[Change]]


class TotpFactor(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticator app. Times are Unix seconds.

    Args:
        secret: As `totp.SecretKey` has sealed it.
        last_step: The time step of the last code that was used: neither it nor an earlier one is taken again.
        recovery_codes: How many are left.
    """

    id: str
    secret: str
    last_step: int
    created_at: float
    last_used_at: float
    recovery_codes: int


class SecondFactors:
    """Those of all users. Every method raises AccountsUnavailable.

    Args:
        changing: Makes one change of the accounts.
        audit: Where it is recorded that one was set up or removed.
    """

    def __init__(self, changing: Changing, audit: Audit) -> None:
        self._changing = changing
        self._audit = audit

    async def of(self, user: User) -> TotpFactor | None:
        """The user's; None: there is none."""
        async with self._changing() as change:
            mine = second_factors.c.user_id == user.id
            row = (await change.connection.execute(sa.select(second_factors).where(mine))).one_or_none()
            if row is None:
                return None
            unused = (recovery_codes.c.user_id == user.id, recovery_codes.c.used_at.is_(None))
            left = await change.connection.scalar(sa.select(sa.func.count()).where(*unused))
        return TotpFactor(
            id=row.id,
            secret=row.secret,
            last_step=row.counter,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            recovery_codes=left or 0,
        )

    async def add(self, user: User, secret: str, step: int) -> tuple[User, list[str]]:
        """An authenticator app in place of the one before, and its recovery codes, which are stored nowhere else.

        `step`: of the code that has proved that the app has the secret. Raises UnknownUser: removed meanwhile.
        """
        now = time.time()
        async with self._changing() as change:
            current = await _current(change, user)
            await _forget(change, user)
            values = {"kind": "totp", "secret": secret, "counter": step, "created_at": now, "last_used_at": now}
            row = {"id": f"2nd_{secrets.token_hex(8)}", "user_id": user.id, **values}
            await change.connection.execute(sa.insert(second_factors).values(row))
            codes = await _new_codes(change, user)
            changed = await change.update(replace(current, second_factor=True))
        self._audit.record(Action.SECOND_FACTOR_ADD, user.name, kind="totp")
        return changed, codes

    async def use_step(self, factor: TotpFactor, step: int) -> bool:
        """Whether the code of this step may be used: it was not, and no later one. It is used from now on."""
        table = second_factors
        unused = (table.c.id == factor.id, table.c.counter < step)
        async with self._changing() as change:
            values = {"counter": step, "last_used_at": time.time()}
            used = await change.connection.execute(sa.update(table).where(*unused).values(values))
        return used.rowcount == 1

    async def use_recovery_code(self, user: User, code: str) -> bool:
        """Whether it is one of the user's that was not used; it is used from now on."""
        table = recovery_codes
        unused = (table.c.user_id == user.id, table.c.code_hash == digest_of(code), table.c.used_at.is_(None))
        async with self._changing() as change:
            used = await change.connection.execute(sa.update(table).where(*unused).values(used_at=time.time()))
        return used.rowcount == 1

    async def new_recovery_codes(self, user: User) -> list[str]:
        """In place of all before."""
        async with self._changing() as change:
            return await _new_codes(change, user)

    async def remove(self, user: User, *, end_sessions: bool = False, revision: int | None = None) -> User:
        """The password suffices from now on.

        Raises UnknownUser (removed meanwhile), UserChanged.

        Args:
            end_sessions: Of all that the user has signed in to.
            revision: The user's when it was read; None: whatever has happened since.
        """
        async with self._changing() as change:
            current = await _current(change, user)
            if revision not in (None, current.revision):
                raise UserChanged(user.name)
            await _forget(change, user)
            generation = current.generation + int(end_sessions)
            changed = await change.update(replace(current, second_factor=False, generation=generation))
        self._audit.record(Action.SECOND_FACTOR_REMOVE, user.name, kind="totp")
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


async def _forget(change: Change, user: User) -> None:
    for table in (second_factors, recovery_codes):
        await change.connection.execute(sa.delete(table).where(table.c.user_id == user.id))


async def _new_codes(change: Change, user: User) -> list[str]:
    await change.connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == user.id))
    codes = ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]
    await change.connection.execute(sa.insert(recovery_codes), [*_rows(user, codes)])
    return codes


def _rows(user: User, codes: Iterable[str]) -> Iterable[dict[str, str]]:
    return ({"user_id": user.id, "code_hash": digest_of(code)} for code in codes)


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))
