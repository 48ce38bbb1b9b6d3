"""Sign-in sessions: what begins with a sign-in and ends with a sign-out, and the refresh token that it goes on by.

A refresh token is used once: its use replaces it (`refresh_tokens.py`). If one is used a second time, it has been
stolen, before or after: nobody can tell which of the two is the user, so the session ends (RFC 9700 section 4.14.2).
Two repetitions are none: one that the same client sends because it got no response, known by its attempt, as long as
the next token has not been used; and one within `REUSE_GRACE_S`, by a page that was reloaded and forgot the attempt.

A session that has ended is remembered for as long as one of its access tokens could be taken: calls are resumed with
one that has expired, too.
"""

import hmac
import secrets
import time
from collections.abc import Iterable
from enum import Enum

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ari_bridge.accounts import refresh_tokens
from ari_bridge.accounts.database import Changing, Database
from ari_bridge.accounts.refresh_tokens import RefreshToken, digest_of
from ari_bridge.accounts.schema import sign_in_sessions as table
from ari_bridge.accounts.signing_keys import CLOCK_LEEWAY_S
from ari_bridge.accounts.user import User

MAX_SESSIONS_PER_USER = 50
"""With one more the session that was refreshed least recently cannot be refreshed any more."""
REUSE_GRACE_S = 60.0
"""How long the token before may be used once more, as long as the next one has not been."""
MAX_RESUME_AGE_S = 7 * 86400.0
"""How long after the sign-in calls may be resumed with an access token that has expired."""
_KEEP_S = 2 * CLOCK_LEEWAY_S

_RESUMED_UNTIL = MAX_RESUME_AGE_S + sa.case(
    (table.c.started_at > 0, table.c.started_at),
    else_=table.c.ended_at,  # it was not kept when it began (`end`): it did so before it ended
)
_TAKEN_UNTIL = sa.case((table.c.access_until > _RESUMED_UNTIL, table.c.access_until), else_=_RESUMED_UNTIL)
"""Of a session that has ended: when nobody takes the last of its access tokens any more, but for the clocks."""


class Refusal(Enum):
    """Why a refresh token is refused."""

    UNKNOWN = "unknown"
    """No such token or session, or it has ended."""
    EXPIRED = "expired"
    IDLE = "idle"
    """It was not used for too long."""
    REUSED = "reused"
    """It was used before: the session has been ended."""


class SignInSession(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in. Times are Unix seconds.

    Args:
        generation: The user's, when the session began: a higher one ends it.
        started_at: When the password was given (`auth_time`).
        refreshed_at: When the refresh token was last replaced.
        expires_at: When it ends, however often it is refreshed.
        access_until: When the last of its access tokens expires.
        token_hash: Of the refresh token that is to be used next; `previous_hash`: of the one before.
        salt: Of the derivation of the one from the other.
        attempt_hash: Of what the client has named the last refresh by.
    """

    id: str
    user_id: str
    generation: int
    started_at: float
    refreshed_at: float
    expires_at: float
    access_until: float
    ended_at: float | None = None
    family_hash: str = ""
    token_hash: str = ""
    previous_hash: str = ""
    salt: str = ""
    attempt_hash: str = ""


class SignInSessions:
    """Those of all users.

    Attributes:
        max_idle: Seconds after which a refresh token that was not used is refused.
    """

    def __init__(self, database: Database, changing: Changing) -> None:
        self._database = database
        self._changing = changing
        self._ended: dict[str, float] = {}  # ids, and until when their access tokens could be taken
        self.max_idle = 86400.0

    def is_ended(self, session: str) -> bool:
        return session in self._ended

    # --- changes ---------------------------------------------------------------------

    async def start(
        self, user: User, *, started_at: float, lifetime: float, access_lifetime: float
    ) -> tuple[SignInSession, RefreshToken]:
        """A new session, and its first refresh token. Lifetimes are in seconds. Raises AccountsUnavailable."""
        now = time.time()
        token = refresh_tokens.new_token(secrets.token_hex(8))
        session = SignInSession(
            id=token.session,
            user_id=user.id,
            generation=user.generation,
            started_at=started_at,
            refreshed_at=now,
            expires_at=started_at + lifetime,
            access_until=min(now + access_lifetime, started_at + lifetime),
            family_hash=digest_of(token.family),
            token_hash=digest_of(token.secret),
        )
        live = (table.c.user_id == user.id, table.c.ended_at.is_(None))
        kept = sa.select(table.c.id).where(*live).order_by(table.c.refreshed_at.desc()).limit(MAX_SESSIONS_PER_USER)
        async with self._database.transaction() as connection:
            await connection.execute(sa.insert(table).values(**msgspec.structs.asdict(session), revision=0))
            await connection.execute(sa.delete(table).where(*live, table.c.id.not_in(kept.scalar_subquery())))
        return session, token

    async def refresh(
        self, token: RefreshToken, *, attempt: str, access_lifetime: float
    ) -> tuple[SignInSession, RefreshToken] | Refusal:
        """The session, and the token in place of this one; what was written is on the disk.

        Args:
            token: What the client presents.
            attempt: By which the client knows this refresh, also when it repeats it; "" if it has no name.
            access_lifetime: Seconds that an access token is valid.

        Raises AccountsUnavailable.
        """
        async with self._database.reading() as connection:  # strangers take no lock
            if not _is_of(await _find(connection, token.session), token):
                return Refusal.UNKNOWN
        now = time.time()
        async with self._database.transaction() as connection:
            session = await _find(connection, token.session, lock=True)
            if session is None or session.ended_at is not None:
                return Refusal.UNKNOWN
            if now > session.expires_at:
                return Refusal.EXPIRED
            if now > session.refreshed_at + self.max_idle:
                return Refusal.IDLE
            replaced = _replace(session, token, attempt, now)
            if replaced:
                until = max(session.access_until, min(now + access_lifetime, session.expires_at))
                replaced = msgspec.structs.replace(replaced, access_until=until)
                values = msgspec.structs.asdict(replaced)
                await connection.execute(sa.update(table).where(table.c.id == session.id).values(values))
        return (replaced, token.next(replaced.salt)) if replaced else Refusal.REUSED

    async def end(self, session: str, user_id: str, access_until: float) -> None:
        """Its refresh token and its access tokens end. `access_until`: when the one that the client has expires.

        An access token without a session, of an earlier version, is ended in the same way by its own id.
        Raises AccountsUnavailable.
        """
        row = SignInSession(
            id=session,
            user_id=user_id,
            generation=0,
            started_at=0.0,
            refreshed_at=0.0,
            expires_at=0.0,
            access_until=access_until,
        )
        async with self._changing() as change:
            values = {"ended_at": time.time(), "revision": change.revision}
            known = await change.connection.execute(sa.update(table).where(table.c.id == session).values(values))
            if not known.rowcount:
                await change.connection.execute(sa.insert(table).values({**msgspec.structs.asdict(row), **values}))

    async def live(self, sessions: Iterable[str]) -> set[str]:
        """Those of these ids that can be refreshed. Raises AccountsUnavailable."""
        wanted = sa.select(table.c.id).where(table.c.id.in_(list(sessions)), table.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            return set((await connection.execute(wanted)).scalars())

    # --- kept up to date by Accounts ---------------------------------------------------

    async def read(self, after: int) -> bool:
        """What has ended since the revision `after`; whether there is any. Raises AccountsUnavailable."""
        ended = sa.select(table.c.id, _TAKEN_UNTIL.label("until")).where(
            table.c.ended_at.is_not(None), table.c.revision > after
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(ended)).all()
        now = time.time()
        self._ended = {id: until for id, until in self._ended.items() if now < until}
        self._ended |= {row.id: row.until + _KEEP_S for row in rows}
        return bool(rows)

    async def purge(self, now: float) -> None:
        """Delete what is of no use any more. Raises AccountsUnavailable."""
        is_over = sa.or_(table.c.expires_at < now, table.c.refreshed_at < now - self.max_idle)
        unused = sa.and_(table.c.ended_at.is_(None), is_over, table.c.access_until < now - _KEEP_S)
        ended = sa.and_(table.c.ended_at.is_not(None), _TAKEN_UNTIL < now - _KEEP_S)
        async with self._database.transaction() as connection:
            await connection.execute(sa.delete(table).where(sa.or_(unused, ended)))


def _replace(session: SignInSession, token: RefreshToken, attempt: str, now: float) -> SignInSession | None:
    """The session after the use of `token`; None if that was used before. Pure but for the salt."""
    presented, named = digest_of(token.secret), digest_of(attempt) if attempt else ""
    if _same(presented, session.token_hash):
        salt = secrets.token_hex(16)
        return msgspec.structs.replace(
            session,
            token_hash=digest_of(token.next(salt).secret),
            previous_hash=presented,
            salt=salt,
            attempt_hash=named,
            refreshed_at=now,
        )
    if not _same(presented, session.previous_hash):
        return None
    is_repeated = bool(named) and _same(named, session.attempt_hash)
    return session if is_repeated or now - session.refreshed_at < REUSE_GRACE_S else None


def _is_of(session: SignInSession | None, token: RefreshToken) -> bool:
    return session is not None and _same(digest_of(token.family), session.family_hash)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)


async def _find(connection: AsyncConnection, id: str, *, lock: bool = False) -> SignInSession | None:
    """`lock`: until the end of the transaction, in PostgreSQL; in SQLite nobody else writes meanwhile."""
    wanted = sa.select(table).where(table.c.id == id)
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).mappings().one_or_none()
    return SignInSession(**{name: row[name] for name in SignInSession.__struct_fields__}) if row else None
