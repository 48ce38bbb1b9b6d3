"""What comes between a right password and a session: the second factor, another password, setting up a second factor.

The order matters: the second factor comes first, so that with the password alone it cannot even be changed. What those
who have signed in do with their second factor is in `own_second_factor.py`.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import structlog

from ari_bridge.accounts import Accounts, InvalidUser, Target, User, passwords, totp
from ari_bridge.audit import Action, Audit, acting
from frontend.auth.challenges import Challenges, Step
from frontend.auth.errors import ChallengeEnded, FactorMethod
from frontend.auth.own_second_factor import Enrolment, KeyRequest, OwnSecondFactor, changed_meanwhile_is, methods_of
from frontend.auth.relying_party import Assertion, Options, Registration
from frontend.auth.second_factor import SecondFactorCheck, actor_of
from frontend.auth.security_key_check import SecurityKeyCheck
from frontend.auth.sign_ins import SignIns

HASHING_ATTEMPTS = 4
"""Attempts more that a new password counts as, once it is compared with the old one: each costs two hashes."""

S = TypeVar("S")

log = structlog.get_logger(__name__)


class SignInSteps(Generic[S]):
    """The steps.

    Attributes:
        own: The second factor of those who have signed in.

    Args:
        accounts: The users.
        sign_ins: Looks at passwords.
        second_factor: Looks at codes.
        security_keys: Looks at what security keys have signed.
        issue: Makes the session of a user.
        roles: Whose users need a second factor.
        audit: Where sign-ins are recorded.
    """

    def __init__(
        self,
        accounts: Accounts,
        sign_ins: SignIns,
        second_factor: SecondFactorCheck,
        security_keys: SecurityKeyCheck,
        issue: Callable[[User], Awaitable[S]],
        roles: Iterable[str],
        audit: Audit,
    ) -> None:
        self._accounts = accounts
        self._sign_ins = sign_ins
        self._second_factor = second_factor
        self._security_keys = security_keys
        self._issue = issue
        self._roles = frozenset(roles)
        self._audit = audit
        self._challenges = Challenges()
        self.own = OwnSecondFactor(accounts, sign_ins, second_factor, security_keys, self._challenges)

    def requires_second_factor(self, user: User) -> bool:
        """Whether one of the user's roles needs it."""
        return not self._roles.isdisjoint(user.roles)

    async def complete(self, user: User, address: str, *, second_factor: bool = False) -> S:
        """The session, if nothing else is required. Raises SignInIncomplete, AccountsUnavailable.

        `second_factor`: it was given.
        """
        if user.second_factor and not second_factor:
            methods = await methods_of(user, self._accounts, self._security_keys)
            raise self._challenges.issue(Step.SECOND_FACTOR, user, methods=methods)
        if user.must_change_password:
            raise self._challenges.issue(Step.PASSWORD_CHANGE, user, second_factor=second_factor)
        if self.requires_second_factor(user) and not user.second_factor:
            keys = (FactorMethod.SECURITY_KEY,) if self._security_keys.enabled else ()
            raise self._challenges.issue(Step.ENROLMENT, user, methods=(FactorMethod.TOTP, *keys))
        session = await self._issue(user)
        self._audit.record(Action.SESSION_CREATE, user.name, actor=actor_of(user, address))
        return session

    # --- in the course of a sign-in ----------------------------------------------------

    async def choose_password(self, challenge: str, new: str, address: str) -> S:
        """Set a password that nobody else knows, and go on.

        Raises Unauthorized (the challenge is not valid any more), InvalidUser (the password is weak, or that of
        before), TooManyAttempts, SignInIncomplete, AccountsUnavailable.
        """
        found, user = self._challenges.attempt(challenge, Step.PASSWORD_CHANGE, self._accounts.by_id)
        self.check_new_password(new, user.name)
        with self._challenges.using(found, attempts=HASHING_ATTEMPTS):
            hashed = await self._sign_ins.run_in_turn(user.name, address, _hash_unless_old, user, new)
            seen = Target(user.id, generation=found.generation)
            with changed_meanwhile_is(ChallengeEnded()), acting(actor_of(user, address)):
                changed = await self._accounts.set_password(user.name, hashed, target=seen)
        log.info("a user has chosen a password at the first sign-in", user=user.name, address=address)
        return await self.complete(changed, address, second_factor=found.second_factor)

    def check_new_password(self, new: str, name: str) -> None:
        """Raises InvalidUser."""
        try:
            self._accounts.check_password(new, name)
        except InvalidUser as error:
            raise InvalidUser(str(error), "newPassword") from None

    async def give_second_factor(self, challenge: str, code: str, address: str) -> S:
        """Raises as `SecondFactorCheck.check`, SignInIncomplete."""
        found, user = self._challenges.attempt(challenge, Step.SECOND_FACTOR, self._accounts.by_id)
        with self._challenges.using(found):
            await self._second_factor.check(user, code, address)
        return await self.complete(user, address, second_factor=True)

    def begin_enrolment(self, challenge: str) -> Enrolment:
        """A secret for the app that the sign-in requires. Raises Unauthorized."""
        found, user = self._challenges.attempt(challenge, Step.ENROLMENT, self._accounts.by_id)
        secret = totp.new_secret()
        self._challenges.set_secret(found, secret)
        return Enrolment(found.token, secret, user.name)

    async def complete_enrolment(self, challenge: str, code: str, address: str) -> tuple[S, list[str]]:
        """The session, and the recovery codes. Raises Unauthorized, SignInIncomplete, AccountsUnavailable."""
        found, user = self._challenges.attempt(challenge, Step.ENROLMENT, self._accounts.by_id)
        changed, codes = await self.own.enrol(found, user, code, address)
        return await self.complete(changed, address, second_factor=True), codes

    # --- with a security key -----------------------------------------------------------

    async def ask_key(self, challenge: str) -> Options:
        """For the browser, which asks the key. Raises Unauthorized, InvalidUser (there is no key)."""
        found, user = self._challenges.attempt(challenge, Step.SECOND_FACTOR, self._accounts.by_id)
        return await self._security_keys.ask(user, self._challenges.ask_key(found))

    async def give_key(self, challenge: str, assertion: Assertion, address: str) -> S:
        """Raises Unauthorized, SignInIncomplete, AccountsUnavailable."""
        found, user = self._challenges.attempt(challenge, Step.SECOND_FACTOR, self._accounts.by_id)
        asked = self._challenges.take_key_challenge(found)
        with self._challenges.using(found):
            await self._security_keys.check(user, assertion, asked, address)
        return await self.complete(user, address, second_factor=True)

    async def begin_key_enrolment(self, challenge: str) -> KeyRequest:
        """For the browser, which registers the key that the sign-in requires. Raises Unauthorized, InvalidUser."""
        found, user = self._challenges.attempt(challenge, Step.ENROLMENT, self._accounts.by_id)
        options = await self._security_keys.options(user, self._challenges.ask_key(found))
        return KeyRequest(found.token, options)

    async def complete_key_enrolment(
        self, challenge: str, registration: Registration, name: str, address: str
    ) -> tuple[S, list[str]]:
        """As `complete_enrolment`. Raises InvalidUser (the name, or the key) too."""
        found, user = self._challenges.attempt(challenge, Step.ENROLMENT, self._accounts.by_id)
        changed, codes = await self.own.enrol_key(found, user, registration, name, address)
        return await self.complete(changed, address, second_factor=True), codes


def _hash_unless_old(user: User, new: str) -> str:
    """The hash of a new password. Raises InvalidUser."""
    if passwords.verify(user.password_hash, new):
        raise InvalidUser("the new password is the old one", "newPassword")
    return passwords.hash_password(new)
