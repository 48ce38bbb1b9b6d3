"""Authentication: turns passwords into tokens, and tokens into principals.

Every part of the server that must know who sends a request asks `Authenticator`, and gets a principal or an exception.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jwt
import structlog
from aiohttp import web

from ari_bridge import atomic_file
from ari_bridge.accounts import Accounts, AccountsUnavailable, InvalidUser, Target, User, check_name, passwords
from ari_bridge.accounts.api_key import is_key
from ari_bridge.accounts.sign_in_sessions import MAX_RESUME_AGE_S
from ari_bridge.accounts.signing_keys import CLOCK_LEEWAY_S
from ari_bridge.accounts.totp import KEY_FILE, SecretKey
from ari_bridge.audit import Action, Actor, ActorKind, Audit, NoAudit, Result
from ari_bridge.tasks import TaskSet
from frontend.auth.api_keys import KeyAccess, credential_of
from frontend.auth.client_addresses import ClientAddresses
from frontend.auth.client_tokens import AUDIENCE as CLIENT_AUDIENCE
from frontend.auth.client_tokens import ClientTokens
from frontend.auth.errors import Forbidden, SignInIncomplete, Unauthorized
from frontend.auth.grants import PHONE, grants_of
from frontend.auth.own_second_factor import changed_meanwhile_is
from frontend.auth.principal import Principal, check_person
from frontend.auth.relying_party import RelyingParty
from frontend.auth.second_factor import SecondFactorCheck
from frontend.auth.security_key_check import SecurityKeyCheck
from frontend.auth.session_issuer import AuthSession, SessionIssuer
from frontend.auth.sign_in_steps import SignInSteps
from frontend.auth.sign_ins import SignIns, TooManyAttempts
from frontend.auth.token_lifetimes import TokenLifetimes
from frontend.auth.token_signer import ISSUER

__all__ = [
    "CLOCK_LEEWAY_S",
    "AuthSession",
    "Authenticator",
    "Forbidden",
    "SignInIncomplete",
    "TooManyAttempts",
    "Unauthorized",
    "token_secret",
]

_SENDER: web.RequestKey[Principal | str] = web.RequestKey("sender")  # of a request; or why there is none

log = structlog.get_logger(__name__)


class Authenticator:
    """Signs users in, and finds the principal of a token.

    Args:
        required: Whether sign-in is on. If False (loopback only), the name that a client gives is believed.
        accounts: The users.
        lifetimes: Of what is issued.
        addresses: Finds the client's address of a request; by default no proxy is trusted.
        second_factor_key: Seals the secrets of authenticator apps.
        require_second_factor: Roles whose users need a second factor: they set it up when they sign in.
        webauthn_origins: Of the pages that security keys are used on; none: there are no security keys.
        audit: Where sign-ins are recorded.
    """

    def __init__(
        self,
        *,
        required: bool,
        accounts: Accounts,
        lifetimes: TokenLifetimes = TokenLifetimes(),  # noqa: B008  frozen
        addresses: ClientAddresses | None = None,
        second_factor_key: SecretKey | None = None,
        require_second_factor: Iterable[str] = (),
        webauthn_origins: Sequence[str] = (),
        audit: Audit | None = None,
    ) -> None:
        self.required = required
        self.addresses = addresses or ClientAddresses()
        self.accounts = accounts
        self.audit: Audit = audit or NoAudit()
        self.issuer = SessionIssuer(accounts, lifetimes, self.audit)
        self.keys = KeyAccess(accounts.api_keys, self.audit)
        self.client_tokens = ClientTokens(accounts, self.issuer.signer.sign, self.audit)
        self._sign_ins = SignIns(accounts.verify)
        check = SecondFactorCheck(accounts, second_factor_key or SecretKey(Path(KEY_FILE)), self.audit)
        keys = SecurityKeyCheck(accounts, RelyingParty(webauthn_origins), self.audit)
        self.steps = SignInSteps(
            accounts, self._sign_ins, check, keys, self.issuer.issue, require_second_factor, self.audit
        )
        self._tasks = TaskSet()

    # --- signing in ------------------------------------------------------------------

    async def sign_in(self, user: str, password: str, address: str) -> AuthSession:
        """Sign the user in from the client's `address`.

        Raises Unauthorized, SignInIncomplete (the password is right, and something else is required),
        TooManyAttempts, AccountsUnavailable.
        """
        try:
            found = await self._verified(user, password, address)
        except (Unauthorized, TooManyAttempts) as error:
            known = self.accounts.find(user)
            # Nobody's name is not recorded: it may be a password that was typed into the wrong field.
            actor = Actor(ActorKind.USER, name=known.name if known else "", address=address)
            reason = "the user is locked" if known and known.locked else str(error)
            self.audit.record(Action.SESSION_REFUSE, actor.name, result=Result.REFUSED, actor=actor, reason=reason)
            raise
        if passwords.needs_rehash(found.password_hash):
            self._tasks.start(self._rehash(found, password, address))
        return await self.steps.complete(found, address)

    async def _verified(self, user: str, password: str, address: str) -> User:
        """Raises Unauthorized, TooManyAttempts, AccountsUnavailable."""
        await self.open_accounts()
        seen = self.accounts.find(user)
        right = await self._sign_ins.check(user, password, address)
        found = self.accounts.find(user) if right else None
        # With another generation the password may be that of before: it opens nothing, not even the next step.
        if seen is None or found is None or not found.active or found.generation != seen.generation:
            raise Unauthorized("The user name or the password is wrong.")
        return found

    async def change_password(self, principal: Principal, old: str, new: str) -> AuthSession:
        """Set a new password. It ends all sign-in sessions of the user except the one that is returned.

        Raises Unauthorized (the old one is wrong, or not the password any more), InvalidUser (the new one is weak),
        TooManyAttempts, AccountsUnavailable.
        """
        check_person(principal)
        name = principal.name or ""
        if not await self._sign_ins.check(name, old, principal.address):
            self.audit.record(
                Action.USER_PASSWORD, name, result=Result.REFUSED, actor=principal.actor, reason="the old one is wrong"
            )
            raise Unauthorized("The old password is wrong.")
        if old == new:
            raise InvalidUser("the new password is the old one", "newPassword")
        self.steps.check_new_password(new, name)
        hashed = await self._sign_ins.run_in_turn(name, principal.address, passwords.hash_password, new)
        seen = Target(principal.user_id, generation=principal.generation)
        with changed_meanwhile_is(Unauthorized("Your password was changed meanwhile: sign in again.")):
            changed = await self.accounts.set_password(name, hashed, target=seen)
        log.info("a user has changed the password", user=name, address=principal.address)
        return await self.issuer.issue(changed)

    async def refresh(self, refresh_token: str, *, attempt: str, address: str) -> AuthSession:
        """As `SessionIssuer.refresh`."""
        await self.open_accounts()
        return await self.issuer.refresh(refresh_token, attempt=attempt, address=address)

    async def sign_out(self, principal: Principal) -> None:
        """As `SessionIssuer.end`. Raises InvalidUser: it is no user."""
        check_person(principal)
        await self.issuer.end(principal)

    async def sign_out_everywhere(self, principal: Principal) -> None:
        """All that the user has signed in to ends. Raises InvalidUser, AccountsUnavailable."""
        check_person(principal)
        if principal.name is not None:
            await self.accounts.end_sessions(principal.name)
            log.info("signed out everywhere", user=principal.name, address=principal.address)

    async def close(self) -> None:
        await self._tasks.finish(2.0)

    async def open_accounts(self) -> None:
        """Raises AccountsUnavailable."""
        try:
            await self.accounts.open()
        except (InvalidUser, OSError) as error:
            log.error("sign-in is not possible: the users cannot be read", reason=str(error))
            raise AccountsUnavailable("the server cannot read its users") from None

    async def _rehash(self, user: User, password: str, address: str) -> None:
        try:
            hashed = await self._sign_ins.run_in_turn(user.name, address, passwords.hash_password, password)
            await self.accounts.rehash(user, hashed)
        except (AccountsUnavailable, TooManyAttempts) as error:
            log.info("cannot rehash a password", reason=str(error))

    # --- verifying tokens ---------------------------------------------------------------

    def principal_of(self, token: str | None, address: str = "", origin: str | None = None) -> Principal:
        """The principal of the token, or of the API key. `origin`: the request's `Origin`. Raises Unauthorized."""
        if not token:
            raise Unauthorized("Sign in first: there is no token.")
        if is_key(token):
            return self.keys.principal_of(token, address, origin)
        try:
            claims = self._decode(token, audience=(ISSUER, CLIENT_AUDIENCE))
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has expired: sign in again.") from None
        except jwt.InvalidTokenError:
            raise Unauthorized("The token is not valid: sign in again.") from None
        if claims["aud"] == CLIENT_AUDIENCE:
            return self.client_tokens.principal_of(claims, address, origin)
        return self._principal(claims, address)

    def _principal(self, claims: dict[str, Any], address: str) -> Principal:
        user = self.accounts.by_id(str(claims.get("uid")))
        session = str(claims.get("sid") or claims.get("jti") or "")
        if user is None or not user.active or claims.get("gen") != user.generation or self._is_ended(session):
            raise Unauthorized("What this token was made for has ended: sign in again.")
        return Principal(
            name=user.name,
            user_id=user.id,
            tenant=user.tenant,
            roles=user.roles,
            grants=grants_of(user.roles),
            since=user.name_since,
            generation=user.generation,
            session_id=session,
            address=address,
            expires_at=float(claims["exp"]),
        )

    def resuming(self, token: str | None, address: str = "", origin: str | None = None) -> Principal:
        """The principal of a client that resumes its calls: the token may have expired, the sign-in must not be ended.

        Raises Unauthorized.
        """
        if token and is_key(token):
            return self.keys.principal_of(token, address, origin)
        try:
            claims = self._decode(token or "", verify_exp=False, audience=(ISSUER, CLIENT_AUDIENCE))
        except jwt.InvalidTokenError:
            raise Unauthorized("The session needs the token of its user.") from None
        if time.time() - float(claims.get("auth_time") or 0) > MAX_RESUME_AGE_S:
            raise Unauthorized("The sign-in is too long ago: sign in again.")
        if claims["aud"] == CLIENT_AUDIENCE:
            return self.client_tokens.principal_of(claims, address, origin)
        return self._principal(claims, address)

    def holds(self, principal: Principal) -> bool:
        """Whether the principal's sign-in session is still valid: it was not ended since."""
        if principal.kind in ("key", "token"):
            return (self.keys if principal.kind == "key" else self.client_tokens).holds(principal)
        if not principal.user_id:
            return True
        user = self.accounts.by_id(principal.user_id)
        if user is None or not user.active or user.generation != principal.generation:
            return False
        return not self._is_ended(principal.session_id)

    def _is_ended(self, session: str) -> bool:
        return self.accounts.sessions.is_ended(session)

    def _decode(self, token: str, *, verify_exp: bool = True, audience: tuple[str, ...] = (ISSUER,)) -> dict[str, Any]:
        """The claims. Raises InvalidTokenError."""
        claims = self.issuer.signer.verify(token, audience, verify_exp=verify_exp)
        if not isinstance(claims.get("sub"), str):
            raise jwt.MissingRequiredClaimError("sub")
        return claims

    def identify(self, user: str, token: str | None, address: str = "", origin: str | None = None) -> Principal:
        """The principal of a client that signs in as `user`. Raises Unauthorized, InvalidUser."""
        check_name(user)
        if not self.required:
            return Principal(user, grants=PHONE, address=address)
        principal = self.principal_of(token, address, origin)
        if principal.name != user:
            raise Unauthorized("The token is another user's.")
        return principal

    def stranger(self, request: web.Request) -> Principal:
        """The principal of a request to what is public."""
        return Principal(None, address=self.addresses.of(request))

    def authenticate(self, request: web.Request, *, again: bool = False) -> Principal:
        """The principal of the request. Raises Unauthorized.

        Several parts ask about a request: what is recorded and counted of it is so once. `again`: as things are now.
        """
        if again or _SENDER not in request:
            try:
                request[_SENDER] = self._sender(request)
            except Unauthorized as error:
                request[_SENDER] = str(error)
        sender = request[_SENDER]
        if isinstance(sender, str):
            raise Unauthorized(sender)
        return sender

    def _sender(self, request: web.Request) -> Principal:
        address = self.addresses.of(request)
        if not self.required:
            return Principal(None, address=address, unrestricted=True)
        headers = request.headers
        return self.principal_of(credential_of(headers.get("Authorization")), address, headers.get("Origin"))


def token_secret(path: Path) -> str:
    """The secret that signs tokens; created at the first start, mode 600. Raises InvalidUser if it is too short."""
    try:
        secret = path.read_text().strip()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)  # restored from a backup, or written by hand: whoever reads it signs in as anybody
    except FileNotFoundError:
        secret = secrets.token_urlsafe(48)
        try:
            write_secret(path, secret)
        except FileExistsError:  # another process, at its first start too, was quicker
            secret = path.read_text().strip()
    if len(secret) < 32:
        raise InvalidUser(f"{path}: the token secret has {len(secret)} characters, and needs 32. Delete the file.")
    return secret


def write_secret(path: Path, secret: str) -> None:
    """Create the file; an existing one is not overwritten. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_file.write_new(path, f"{secret}\n".encode())
