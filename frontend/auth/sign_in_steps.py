"""What comes between a right password and a session: the second factor, another password, setting up a second factor.

The order matters: the second factor comes first, so that with the password alone it cannot even be changed.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from ari_bridge.accounts import (
    Accounts,
    InvalidUser,
    SecondFactorExists,
    Target,
    UnknownUser,
    User,
    UserChanged,
    passwords,
    totp,
)
from ari_bridge.audit import Action, Audit, acting
from frontend.auth.challenges import Challenge, Challenges, Step
from frontend.auth.errors import ChallengeEnded, Unauthorized, WrongCode
from frontend.auth.principal import Principal, check_person
from frontend.auth.second_factor import SecondFactorCheck, actor_of
from frontend.auth.sign_ins import SignIns

HASHING_ATTEMPTS = 4
"""Attempts more that a new password counts as, once it is compared with the old one: each costs two hashes."""

S = TypeVar("S")

_CHANGED = "Your password or your second factor was changed meanwhile, or you were locked: sign in again."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An app that is to be set up: it is, once a code of the `secret` has come with the `challenge`."""

    challenge: str
    secret: str
    user: str


class SignInSteps(Generic[S]):
    """The steps, and the second factor of those who have signed in.

    Args:
        accounts: The users.
        sign_ins: Looks at passwords.
        second_factor: Looks at codes.
        issue: Makes the session of a user.
        roles: Whose users need a second factor.
        audit: Where sign-ins are recorded.
    """

    def __init__(
        self,
        accounts: Accounts,
        sign_ins: SignIns,
        second_factor: SecondFactorCheck,
        issue: Callable[[User], Awaitable[S]],
        roles: Iterable[str],
        audit: Audit,
    ) -> None:
        self._accounts = accounts
        self._sign_ins = sign_ins
        self._second_factor = second_factor
        self._issue = issue
        self._roles = frozenset(roles)
        self._audit = audit
        self._challenges = Challenges()

    def requires_second_factor(self, user: User) -> bool:
        """Whether one of the user's roles needs it."""
        return not self._roles.isdisjoint(user.roles)

    async def complete(self, user: User, address: str, *, second_factor: bool = False) -> S:
        """The session, if nothing else is required. Raises SignInIncomplete, AccountsUnavailable.

        `second_factor`: it was given.
        """
        if user.second_factor and not second_factor:
            raise self._challenges.issue(Step.SECOND_FACTOR, user)
        if user.must_change_password:
            raise self._challenges.issue(Step.PASSWORD_CHANGE, user, second_factor=second_factor)
        if self.requires_second_factor(user) and not user.second_factor:
            raise self._challenges.issue(Step.ENROLMENT, user)
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
        if found.signed_in:
            raise ChallengeEnded
        secret = totp.new_secret()
        self._challenges.set_secret(found, secret)
        return Enrolment(found.token, secret, user.name)

    async def complete_enrolment(self, challenge: str, code: str, address: str) -> tuple[S, list[str]]:
        """The session, and the recovery codes. Raises Unauthorized, SignInIncomplete, AccountsUnavailable."""
        found, user = self._challenges.attempt(challenge, Step.ENROLMENT, self._accounts.by_id)
        if found.signed_in:
            raise ChallengeEnded
        changed, codes = await self._enrol(found, user, code, address)
        return await self.complete(changed, address, second_factor=True), codes

    # --- of those who have signed in ---------------------------------------------------

    async def begin_second_factor(self, principal: Principal, password: str) -> Enrolment:
        """A secret for an app.

        Raises SecondFactorExists, Unauthorized, InvalidUser (it is no user), TooManyAttempts, AccountsUnavailable.
        """
        user = await self.confirm_password(principal, password)
        if user.second_factor:
            raise SecondFactorExists
        secret = totp.new_secret()
        incomplete = self._challenges.issue(Step.ENROLMENT, user, signed_in=True, secret=secret)
        return Enrolment(incomplete.challenge, secret, user.name)

    async def add_second_factor(self, principal: Principal, challenge: str, code: str) -> list[str]:
        """The recovery codes: the app is required from now on. Raises as `begin_second_factor`."""
        check_person(principal)
        found, user = self._challenges.attempt(challenge, Step.ENROLMENT, self._accounts.by_id)
        if not found.signed_in or user.id != principal.user_id:
            raise ChallengeEnded
        _, codes = await self._enrol(found, user, code, principal.address)
        return codes

    async def remove_second_factor(self, principal: Principal, password: str, code: str) -> None:
        """Raises as `begin_second_factor` and `SecondFactorCheck.check`."""
        user = await self.confirm_password(principal, password)
        await self._second_factor.check(user, code, principal.address)
        with changed_meanwhile_is(Unauthorized(_CHANGED)):
            await self._accounts.second_factors.remove(user)
        log.warning("a second factor was removed", user=user.name, address=principal.address)

    async def new_recovery_codes(self, principal: Principal, password: str, code: str) -> list[str]:
        """In place of all before. Raises as `remove_second_factor`."""
        user = await self.confirm_password(principal, password)
        await self._second_factor.check(user, code, principal.address)
        with changed_meanwhile_is(Unauthorized(_CHANGED)):
            return await self._accounts.second_factors.new_recovery_codes(user)

    async def _enrol(self, found: Challenge, user: User, code: str, address: str) -> tuple[User, list[str]]:
        if not found.secret:
            raise ChallengeEnded
        step = totp.step_of(found.secret, "".join(code.split()), time.time())
        if step is None:
            raise WrongCode("This is not the code that the app shows now. Is the clock of its device right?")
        with self._challenges.using(found), changed_meanwhile_is(ChallengeEnded()), acting(actor_of(user, address)):
            added = await self._second_factor.add(user, found.secret, step)
        log.info("a second factor is set up", user=user.name, address=address)
        return added

    async def confirm_password(self, principal: Principal, password: str) -> User:
        """A token alone sets up and removes nothing. Raises Unauthorized, InvalidUser (it is no user)."""
        check_person(principal)
        right = await self._sign_ins.check(principal.name or "", password, principal.address)
        user = self._accounts.by_id(principal.user_id)
        if not right or user is None or not user.active or user.generation != principal.generation:
            raise Unauthorized("The password is wrong.")
        return user


@contextmanager
def changed_meanwhile_is(refusal: Unauthorized) -> Iterator[None]:
    """What was proved for the user does not hold any more, because somebody else has changed it: raises `refusal`."""
    try:
        yield
    except (SecondFactorExists, UnknownUser, UserChanged):
        raise refusal from None


def _hash_unless_old(user: User, new: str) -> str:
    """The hash of a new password. Raises InvalidUser."""
    if passwords.verify(user.password_hash, new):
        raise InvalidUser("the new password is the old one", "newPassword")
    return passwords.hash_password(new)
