"""Security keys at the sign-in and where they are set up: looked up, asked, and verified."""

import secrets
from typing import NoReturn

import msgspec
import structlog

from ari_bridge.accounts import Accounts, InvalidUser, User
from ari_bridge.accounts.security_keys import MAX_NAME_LENGTH, SecurityKey
from ari_bridge.audit import Action, Audit, Result
from frontend.auth.errors import WrongKey
from frontend.auth.relying_party import (
    Assertion,
    InvalidCredential,
    Options,
    Registration,
    RelyingParty,
)
from frontend.auth.second_factor import actor_of

_UNKNOWN = "This security key is none of yours. Use one that you have set up."
_REFUSED = "The answer of the security key was refused. Try again."
_COPIED = "This security key may have been copied: its counter went back. Use another way, and tell your administrator."
_OFF = "Security keys are not available on this server."

log = structlog.get_logger(__name__)


class KeyProof(msgspec.Struct, frozen=True):
    """What a security key has signed, for the challenge of this server that asked for it."""

    challenge: str
    credential: Assertion


class SecurityKeyCheck:
    """Whether somebody has a security key of a user.

    Args:
        accounts: The users.
        relying_party: What is asked of browsers, and how the answers are verified.
        audit: Where what was refused is recorded.
    """

    def __init__(self, accounts: Accounts, relying_party: RelyingParty, audit: Audit) -> None:
        self._keys = accounts.security_keys
        self._relying_party = relying_party
        self._audit = audit

    @property
    def enabled(self) -> bool:
        return self._relying_party.enabled

    async def of(self, user: User) -> list[SecurityKey]:
        """Those that can be used here. Raises AccountsUnavailable."""
        return await self._keys.of(user) if self.enabled else []

    async def ask(self, user: User, challenge: bytes) -> Options:
        """For `navigator.credentials.get()`. Raises InvalidUser (the user has no key), AccountsUnavailable."""
        self._check_enabled()
        keys = await self._keys.of(user)
        if not keys:
            raise InvalidUser("you have no security key", "challenge")
        return self._relying_party.assertion_options(keys, challenge)

    async def check(self, user: User, assertion: Assertion, challenge: bytes, address: str) -> None:
        """Use the key. Raises WrongKey, AccountsUnavailable."""
        keys = await self.of(user)
        key = next((key for key in keys if secrets.compare_digest(key.credential_id, assertion.id)), None)
        if key is None:
            self._refuse(user, address, _UNKNOWN, "a security key that is none of the user's")
        try:
            count = self._relying_party.verify_assertion(assertion, key, challenge)
        except InvalidCredential as error:
            self._refuse(user, address, _REFUSED, f"a wrong answer of a security key: {error}", key)
        if not await self._keys.use(key, count):
            self._refuse(user, address, _COPIED, "the counter of a security key went back: it may be a copy", key)

    async def options(self, user: User, challenge: bytes) -> Options:
        """For `navigator.credentials.create()`. Raises InvalidUser (keys are off), AccountsUnavailable."""
        self._check_enabled()
        return self._relying_party.registration_options(user, await self._keys.of(user), challenge)

    async def add(self, user: User, registration: Registration, challenge: bytes, name: str) -> tuple[User, list[str]]:
        """The user as it is then, and recovery codes if it is the first second factor.

        Raises WrongKey, and as `SecurityKeys.add`.
        """
        self._check_enabled()
        plain = name.strip()
        if not 0 < len(plain) <= MAX_NAME_LENGTH or not plain.isprintable():
            raise InvalidUser(f"the name of a security key is one line of at most {MAX_NAME_LENGTH} characters", "name")
        try:
            made = self._relying_party.verify_registration(registration, challenge)
        except InvalidCredential as error:
            log.warning("a security key was not set up", user=user.name, reason=str(error))
            raise WrongKey(_REFUSED) from error
        return await self._keys.add(user, made, plain)

    async def remove(self, user: User, key_id: str) -> None:
        """Raises as `SecurityKeys.remove`."""
        await self._keys.remove(user, key_id)

    def _check_enabled(self) -> None:
        if not self.enabled:
            raise InvalidUser(_OFF, None)

    def _refuse(self, user: User, address: str, told: str, reason: str, key: SecurityKey | None = None) -> NoReturn:
        log.warning("a security key was refused after the right password", user=user.name, address=address, why=reason)
        actor, name = actor_of(user, address), key.name if key else ""
        self._audit.record(
            Action.SECOND_FACTOR_REFUSE, user.name, result=Result.REFUSED, actor=actor, reason=reason, name=name
        )
        raise WrongKey(told)
