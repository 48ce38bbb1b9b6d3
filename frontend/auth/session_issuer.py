"""What everybody gets who has signed in, however: an access token, and a refresh token to get the next ones with.

The access token is a JWT that is verified from memory. It is short-lived, and names its session (`sid`), so that the
end of the session ends it at once. `ari_bridge/accounts/sign_in_sessions.py` tells of the refresh token.
"""

import secrets
import time
from dataclasses import dataclass

import structlog

from ari_bridge.accounts import Accounts, AccountsUnavailable, User
from ari_bridge.accounts.refresh_tokens import RefreshToken, parse
from ari_bridge.accounts.sign_in_sessions import Refusal
from ari_bridge.audit import Action, Actor, ActorKind, Audit, NoAudit, Result
from frontend.auth.errors import Unauthorized
from frontend.auth.principal import Principal
from frontend.auth.token_lifetimes import TokenLifetimes
from frontend.auth.token_signer import TokenSigner

log = structlog.get_logger(__name__)

_REFUSED = {
    Refusal.UNKNOWN: "What this refresh token was made for has ended: sign in again.",
    Refusal.EXPIRED: "The sign-in is too long ago: sign in again.",
    Refusal.IDLE: "The sign-in was not used for too long: sign in again.",
    Refusal.REUSED: "This refresh token was used before, so the session was ended for safety: sign in again.",
}


@dataclass(frozen=True)
class AuthSession:
    """`refresh_token` is None while the database of users is away: the session then lasts as long as the token."""

    token: str
    user: str
    expires_at: float  # of the token, Unix seconds
    refresh_token: RefreshToken | None = None


class SessionIssuer:
    """Begins, refreshes and ends sessions.

    Args:
        accounts: The users, their sessions, and the keys that sign.
        lifetimes: How long what is issued lasts.
        audit: Where the ends of sessions are recorded.
    """

    def __init__(self, accounts: Accounts, lifetimes: TokenLifetimes, audit: Audit | None = None) -> None:
        self._accounts = accounts
        self._audit: Audit = audit or NoAudit()
        self._lifetimes = lifetimes
        self.signer = TokenSigner(accounts.keys)
        accounts.sessions.max_idle = lifetimes.refresh_idle

    async def issue(self, user: User) -> AuthSession:
        """A new session of a user who has just signed in. Raises AccountsUnavailable: no key is known yet."""
        now, lifetimes = time.time(), self._lifetimes
        try:
            session, refresh_token = await self._accounts.sessions.start(
                user, started_at=now, lifetime=lifetimes.refresh, access_lifetime=lifetimes.access
            )
        except AccountsUnavailable as error:
            log.warning("a sign-in cannot be refreshed", user=user.name, reason=str(error))
            return self._session(user, secrets.token_hex(8), now, now + lifetimes.access, None)
        return self._session(user, session.id, now, session.access_until, refresh_token)

    async def refresh(self, text: str, *, attempt: str = "", address: str = "") -> AuthSession:
        """Another access token and refresh token, in exchange for a refresh token.

        Args:
            text: The refresh token.
            attempt: By which the client knows this refresh, also when it repeats it.
            address: The client's.

        Raises Unauthorized, AccountsUnavailable.
        """
        presented = parse(text)
        if presented is None:
            raise Unauthorized(_REFUSED[Refusal.UNKNOWN])
        lifetimes, sessions = self._lifetimes, self._accounts.sessions
        refreshed = await sessions.refresh(presented, attempt=attempt, access_lifetime=lifetimes.access)
        if refreshed is Refusal.REUSED:
            log.warning("a refresh token was used twice: its session ends", session=presented.session, address=address)
            await self._accounts.sessions.end(presented.session, "", 0.0)
            actor = Actor(ActorKind.USER, address=address)
            self._audit.record(Action.SESSION_REUSE, presented.session, result=Result.REFUSED, actor=actor)
        if isinstance(refreshed, Refusal):
            raise Unauthorized(_REFUSED[refreshed])
        session, refresh_token = refreshed
        user = self._accounts.by_id(session.user_id)
        if user is None or not user.active or user.generation != session.generation:
            raise Unauthorized(_REFUSED[Refusal.UNKNOWN])
        expires_at = min(time.time() + lifetimes.access, session.expires_at)
        return self._session(user, session.id, session.started_at, expires_at, refresh_token)

    async def end(self, principal: Principal) -> None:
        """The session of the principal ends: refresh token, access tokens, connections. Raises AccountsUnavailable."""
        if principal.session_id:
            await self._accounts.sessions.end(principal.session_id, principal.user_id, principal.expires_at or 0.0)
            log.info("signed out", user=principal.name, address=principal.address)
            self._audit.record(Action.SESSION_END, principal.name or "", actor=principal.actor)

    def _session(
        self, user: User, id: str, signed_in_at: float, expires_at: float, refresh_token: RefreshToken | None
    ) -> AuthSession:
        claims = {
            "sub": user.name,
            "uid": user.id,
            "gen": user.generation,
            "sid": id,
            "exp": int(expires_at),
            "jti": secrets.token_hex(8),
            "auth_time": int(signed_in_at),
        }
        return AuthSession(self.signer.sign(claims), user.name, expires_at, refresh_token)
