"""The second factor: codes of an authenticator app, and recovery codes, at the sign-in and where it is set up.

Who is asked knows the password already, so the pace of wrong codes is another one than that of passwords: six digits
are guessed in a million tries, and at this pace that takes many years. The pace is for codes of the app alone. A
recovery code cannot be guessed, and is taken also while somebody else guesses codes, so nobody locks the owner out; nor
do guesses from elsewhere slow down a network from which the user has signed in before.
"""

import asyncio
import time

import structlog

from ari_bridge.accounts import Accounts, AccountsUnavailable, User, totp
from ari_bridge.accounts.second_factors import TotpFactor
from ari_bridge.audit import Action, Actor, ActorKind, Audit, Result
from frontend.auth.errors import WrongCode
from frontend.auth.sign_in_pace import MAX_DELAY_S, Pace, SignInPace, network_of
from frontend.auth.sign_ins import TooManyAttempts

DIGITS = 6
_GUESSES = Pace(free=5, first=30.0, longest=3600.0)
_WINDOW_S = 86400.0
_WRONG = "This is not the code that the app shows now, or it was used before."

log = structlog.get_logger(__name__)


class SecondFactorCheck:
    """Whether somebody has the second factor of a user.

    Args:
        accounts: The users.
        key: Seals the secrets of the apps.
        audit: Where wrong codes, and the use of recovery codes, are recorded.
    """

    def __init__(self, accounts: Accounts, key: totp.SecretKey, audit: Audit) -> None:
        self._audit = audit
        self._factors = accounts.second_factors
        self._key = key
        self._pace = SignInPace(name_from_network=_GUESSES, name=_GUESSES, window=_WINDOW_S)
        self._recovery_pace = SignInPace()

    async def check(self, user: User, code: str, address: str) -> None:
        """Use the code: of the app, or one for recovery. Raises WrongCode, TooManyAttempts, AccountsUnavailable."""
        plain = "".join(letter for letter in code if letter.isalnum())
        is_totp = len(plain) == DIGITS and plain.isdecimal() and plain.isascii()
        pace = self._pace if is_totp else self._recovery_pace
        attempt = pace.begin(user.id, network_of(address), time.monotonic())
        if attempt.delay > MAX_DELAY_S:
            log.warning("a code was deferred: too many wrong ones", user=user.name, address=address)
            self._refused(user, address, "too many wrong codes")
            raise TooManyAttempts(attempt.delay, "Too many wrong codes")
        await asyncio.sleep(attempt.delay)
        right = await (self._use_totp(user, plain) if is_totp else self._use_recovery_code(user, plain, address))
        if not right:
            log.warning("a wrong code after the right password", user=user.name, address=address)
            self._refused(user, address, "a wrong code")
            raise WrongCode(_WRONG if is_totp else "This is none of your recovery codes, or it was used before.")
        pace.right(attempt)

    async def add(self, user: User, secret: str, step: int) -> tuple[User, list[str]]:
        """As `SecondFactors.add`, which gets the secret sealed. Raises AccountsUnavailable too if it cannot be."""
        try:
            sealed = await asyncio.to_thread(self._key.seal, secret)
        except (OSError, ValueError) as error:
            log.error("the key of the second factors cannot be written or read", reason=str(error))
            raise AccountsUnavailable("the server cannot keep a secret") from None
        return await self._factors.add(user, sealed, step)

    async def _use_totp(self, user: User, code: str) -> bool:
        factor = await self._factors.of(user)
        step = factor and totp.step_of(self._secret(user, factor), code, time.time())
        return bool(factor and step and await self._factors.use_step(factor, step))

    def _secret(self, user: User, factor: TotpFactor) -> str:
        try:
            return self._key.open(factor.secret)
        except totp.SecretUnreadable as error:
            log.error("the key of the second factors does not fit: only recovery codes work", reason=str(error))
            raise AccountsUnavailable("the server cannot read the secret of the app: use a recovery code") from None

    async def _use_recovery_code(self, user: User, code: str, address: str) -> bool:
        used = bool(code) and await self._factors.use_recovery_code(user, code)
        if used:
            log.warning("a recovery code was used", user=user.name, address=address)
            self._audit.record(Action.SECOND_FACTOR_RECOVER, user.name, actor=actor_of(user, address))
        return used

    def _refused(self, user: User, address: str, reason: str) -> None:
        actor = actor_of(user, address)
        self._audit.record(Action.SECOND_FACTOR_REFUSE, user.name, result=Result.REFUSED, actor=actor, reason=reason)


def actor_of(user: User, address: str) -> Actor:
    """A user who has given the right password, for the audit log."""
    return Actor(ActorKind.USER, user.id, user.name, user.tenant, address)
