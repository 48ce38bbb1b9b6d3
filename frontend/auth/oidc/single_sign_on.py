"""Single sign-on: the authorization code flow with PKCE, done by this server, and what it ends in: a sign-in here."""

import base64
import hashlib
import hmac
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import structlog

from ari_bridge.accounts import Accounts, AccountsUnavailable, Identities, Identity, IdentityRefused, Refusal, User
from ari_bridge.accounts.identities import MAX_SUBJECT_CHARACTERS
from ari_bridge.accounts.provider_sessions import ProviderSession, ProviderSessions
from ari_bridge.audit import Action, Actor, ActorKind, Result, acting
from ari_bridge.tasks import TaskSet
from frontend.auth.authenticator import Authenticator, AuthSession, Unauthorized
from frontend.auth.oidc.browser_state import BrowserState, HandOver, SignInAttempt, UsedOnce
from frontend.auth.oidc.claims import ClaimMapping, MissingClaim
from frontend.auth.oidc.key_set import KeySet
from frontend.auth.oidc.provider import Provider, ProviderConfig, ProviderRefused, ProviderUnavailable
from frontend.auth.oidc.single_logout import SingleLogout
from frontend.auth.oidc.tokens import InvalidToken, TokenVerifier

ATTEMPT_LIFETIME_S = 600
"""How long somebody may take to sign in at the provider."""
HAND_OVER_LIFETIME_S = 60
PROVIDER_SESSION_AGE_S = 365 * 86400.0
"""Longer than any session of ours lasts."""

log = structlog.get_logger(__name__)


class SignInResult(StrEnum):
    """What the page is told in its address; it has a sentence for each."""

    DONE = "done"
    UNAVAILABLE = "unavailable"  # the provider, or our database
    EXPIRED = "expired"  # begun too long ago, in another browser, or used already
    CANCELLED = "cancelled"  # at the provider
    INSECURE = "insecure"  # the page was not opened by https
    FAILED = "failed"  # the provider's answer must not be believed; the log says why
    NOT_ALLOWED = "not_allowed"  # a claim that everybody needs is missing
    UNKNOWN_USER = "unknown_user"
    NAME_TAKEN = "name_taken"
    NO_NAME = "no_name"
    LOCKED = "locked"
    NO_ROLE = "no_role"


_OF_REFUSAL = {
    Refusal.UNKNOWN_USER: SignInResult.UNKNOWN_USER,
    Refusal.NAME_TAKEN: SignInResult.NAME_TAKEN,
    Refusal.NO_NAME: SignInResult.NO_NAME,
    Refusal.REMOVED: SignInResult.LOCKED,
    Refusal.LOCKED: SignInResult.LOCKED,
    Refusal.NO_ROLE: SignInResult.NO_ROLE,
}


_OF_ERROR = {
    "access_denied": SignInResult.CANCELLED,
    "server_error": SignInResult.UNAVAILABLE,
    "temporarily_unavailable": SignInResult.UNAVAILABLE,
}
"""Of errors of the authorization endpoint (RFC 6749, 4.1.2.1)."""


class SignInFailed(Exception):
    """`result` is for the page, `reason` for the log."""

    def __init__(self, result: SignInResult, reason: str) -> None:
        super().__init__(result, reason)
        self.result = result
        self.reason = reason


@dataclass(frozen=True)
class Callback:
    """The parameters with which the provider sends the browser back (RFC 6749, 4.1.2; RFC 9207)."""

    state: str | None
    code: str | None
    error: str | None
    issuer: str | None


class SingleSignOn:
    """Signs people in who have signed in at the provider.

    Args:
        config: The provider.
        mapping: What its claims mean.
        accounts: The users.
        access: Makes the tokens.
        secret: Signs what browsers keep in between; the same on all instances.
    """

    def __init__(
        self, config: ProviderConfig, mapping: ClaimMapping, accounts: Accounts, access: Authenticator, secret: str
    ) -> None:
        self._mapping = mapping
        self._accounts = accounts
        self._access = access
        self._config = config
        self._provider = Provider(config)
        self._verifier = TokenVerifier(config.issuer, config.client_id, KeySet(self._provider.key_set))
        self._identities = Identities(accounts)
        self._state = BrowserState(secret)
        self._sessions = ProviderSessions(accounts)
        self.logout = SingleLogout(self._provider, self._verifier, accounts)
        self._used = UsedOnce(ATTEMPT_LIFETIME_S)
        self._tasks = TaskSet()

    def start(self) -> None:
        """Never fails, and waits for nothing: a provider that is away is logged, and asked again by each sign-in."""
        self._provider.open()
        self._tasks.start(self._look())

    async def close(self) -> None:
        await self._tasks.cancel()
        await self._provider.close()

    async def _look(self) -> None:
        """So that wrong settings show in the log at the start."""
        with suppress(ProviderUnavailable):
            await self._provider.metadata()

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[str, SignInAttempt, str]:
        """The provider's address to send the browser to, the attempt, and what its cookie contains.

        Raises SignInFailed.
        """
        attempt = SignInAttempt(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            return_to=return_to,
        )
        try:
            endpoint = (await self._provider.metadata()).authorization_endpoint
        except ProviderUnavailable as error:
            raise SignInFailed(SignInResult.UNAVAILABLE, str(error)) from None
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._config.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        address = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
        return address, attempt, self._state.seal(attempt, ATTEMPT_LIFETIME_S)

    def attempt_of(self, cookie: str | None, state: str | None) -> SignInAttempt | None:
        """The attempt that this browser has begun, if the provider answers that one."""
        attempt = self._state.open(cookie or "", SignInAttempt)
        if attempt is None or not hmac.compare_digest(attempt.state.encode(), (state or "").encode()):
            return None
        return attempt

    async def finish(self, attempt: SignInAttempt | None, callback: Callback, address: str) -> str:
        """The sign-in that the provider has confirmed; what the cookie contains that hands it to the page.

        Raises SignInFailed.
        """
        audit = self._access.audit
        try:
            with acting(Actor(ActorKind.SYSTEM, name="single sign-on", address=address)):
                user, session = await self._confirmed(attempt, callback)
        except SignInFailed as error:
            stranger = Actor(ActorKind.USER, address=address)
            audit.record(
                Action.SESSION_REFUSE, result=Result.REFUSED, actor=stranger, reason=error.reason, method="oidc"
            )
            raise
        actor = Actor(ActorKind.USER, user.id, user.name, user.tenant, address)
        audit.record(Action.SESSION_CREATE, user.name, actor=actor, method="oidc")
        log.info("signed in by single sign-on", user=user.name, address=address)
        return self._state.seal(HandOver(session, user.id, user.generation), HAND_OVER_LIFETIME_S)

    async def _confirmed(self, attempt: SignInAttempt | None, callback: Callback) -> tuple[User, str]:
        """The user, and the id of the provider session. Raises SignInFailed."""
        if attempt is None:
            raise SignInFailed(SignInResult.EXPIRED, "this browser has not begun it, or too long ago")
        if not self._used.use(attempt.state):
            raise SignInFailed(SignInResult.EXPIRED, "its state was used already")
        try:
            return await self._user_of(attempt, callback)
        except (ProviderUnavailable, AccountsUnavailable) as error:
            raise SignInFailed(SignInResult.UNAVAILABLE, str(error)) from None
        except (ProviderRefused, InvalidToken) as error:
            raise SignInFailed(SignInResult.FAILED, str(error)) from None
        except MissingClaim as error:
            raise SignInFailed(SignInResult.NOT_ALLOWED, str(error)) from None

    async def redeem(self, cookie: str | None) -> AuthSession:
        """The session for the page. Raises Unauthorized, AccountsUnavailable."""
        handed = self._state.open(cookie or "", HandOver)
        if handed is None or not await self._sessions.fetch(handed.id):
            raise Unauthorized("There is no sign-in to fetch, or it was fetched already: sign in again.")
        user = self._accounts.by_id(handed.user_id)
        if user is None or not user.active or user.generation != handed.generation:
            raise Unauthorized("This sign-in has ended: sign in again.")
        return await self._access.issuer.issue(user)

    async def _user_of(self, attempt: SignInAttempt, callback: Callback) -> tuple[User, str]:
        """As `_confirmed`. Raises SignInFailed, and what `finish` makes one of."""
        metadata = await self._provider.metadata()
        if callback.issuer != metadata.issuer and (
            callback.issuer is not None or metadata.authorization_response_iss_parameter_supported
        ):
            raise SignInFailed(SignInResult.FAILED, "the answer is another issuer's")
        if not callback.code:
            error = (callback.error or "neither a code nor an error")[:60]
            raise SignInFailed(_OF_ERROR.get(error, SignInResult.FAILED), f"the provider says {error}")
        tokens = await self._provider.exchange(callback.code, attempt.verifier, attempt.redirect_uri)
        claims = await self._verifier.id_token(tokens.id_token, nonce=attempt.nonce, access_token=tokens.access_token)
        identity = Identity(self._config.issuer, claims["sub"])
        said = self._mapping.entitlement(await self._with_userinfo(claims, tokens.access_token))
        try:
            user = await self._identities.sign_in(identity, said)
        except IdentityRefused as error:
            # With what an administrator needs to link the two: `ari-bridge user link`.
            reason = f"{error} (subject {identity.subject})"
            raise SignInFailed(_OF_REFUSAL[error.reason], reason) from None
        session = ProviderSession(
            id=secrets.token_urlsafe(16),
            user_id=user.id,
            issuer=identity.issuer,
            subject=identity.subject,
            sid=_session_id(claims),
            id_token=tokens.id_token,
            expires_at=time.time() + PROVIDER_SESSION_AGE_S,
        )
        await self._sessions.add(session)
        return user, session.id

    async def _with_userinfo(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """The claims of the ID token, completed by userinfo if one that is needed is not there."""
        if self._mapping.is_complete(claims):
            return claims
        more = await self._provider.userinfo(access_token)
        if more and more.get("sub") != claims["sub"]:
            raise InvalidToken("userinfo is of another subject")  # OpenID Connect Core, 5.3.4
        return {**more, **claims}


def _session_id(claims: dict[str, Any]) -> str:
    """The provider's session (`sid`); "" if it names none."""
    sid = claims.get("sid")
    return sid if isinstance(sid, str) and len(sid) <= MAX_SUBJECT_CHARACTERS else ""
