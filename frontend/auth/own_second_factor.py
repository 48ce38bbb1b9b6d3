"""What users do with their own second factor while they are signed in: set up, remove, make new recovery codes.

A token alone changes nothing: the password is needed, and who has a second factor proves to have it, so that nobody
adds another one with a token and a password that were stolen.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from ari_bridge.accounts import Accounts, SecondFactorExists, UnknownUser, User, UserChanged, totp
from ari_bridge.audit import acting
from frontend.auth.challenges import Challenge, Challenges, Step
from frontend.auth.errors import ChallengeEnded, FactorMethod, Unauthorized, WrongCode
from frontend.auth.principal import Principal, check_person
from frontend.auth.relying_party import Options, Registration, new_challenge
from frontend.auth.second_factor import SecondFactorCheck, actor_of
from frontend.auth.security_key_check import KeyProof, SecurityKeyCheck
from frontend.auth.sign_ins import SignIns

_CHANGED = "Your password or your second factor was changed meanwhile, or you were locked: sign in again."

Proof = str | KeyProof
"""Of having a second factor: a code of the app, a recovery code, or what a security key has signed."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An app that is to be set up: it is, once a code of the `secret` has come with the `challenge`."""

    challenge: str
    secret: str
    user: str


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What the browser is to ask of a security key; the answer comes with the `challenge`."""

    challenge: str
    options: Options


class OwnSecondFactor:
    """Of those who have signed in.

    Args:
        accounts: The users.
        sign_ins: Looks at passwords.
        check: Looks at codes.
        security_keys: Looks at what security keys have signed.
        challenges: Those of sign-ins, too.
    """

    def __init__(
        self,
        accounts: Accounts,
        sign_ins: SignIns,
        check: SecondFactorCheck,
        security_keys: SecurityKeyCheck,
        challenges: Challenges,
    ) -> None:
        self._accounts = accounts
        self._sign_ins = sign_ins
        self._check = check
        self._security_keys = security_keys
        self._challenges = challenges

    @property
    def keys_enabled(self) -> bool:
        """Whether security keys can be set up on this server."""
        return self._security_keys.enabled

    async def ask_key(self, principal: Principal) -> KeyRequest:
        """For a proof. Raises Unauthorized, InvalidUser (it is no user, or has no key), AccountsUnavailable."""
        check_person(principal)
        user = self._accounts.by_id(principal.user_id)
        if user is None or not user.active or user.generation != principal.generation:
            raise Unauthorized(_CHANGED)
        asked = new_challenge()
        incomplete = self._challenges.issue(Step.SECOND_FACTOR, user, signed_in=True, key_challenge=asked)
        return KeyRequest(incomplete.challenge, await self._security_keys.ask(user, asked))

    async def begin_app(self, principal: Principal, password: str, proof: Proof) -> Enrolment:
        """A secret for an app. `proof`: "" of who has no second factor.

        Raises SecondFactorExists, Unauthorized, InvalidUser (it is no user), TooManyAttempts, AccountsUnavailable.
        """
        user = await self.confirm_password(principal, password)
        if await self._accounts.second_factors.of(user):
            raise SecondFactorExists
        if user.second_factor:
            await self._prove(user, proof, principal)
        secret = totp.new_secret()
        incomplete = self._challenges.issue(Step.ENROLMENT, user, signed_in=True, secret=secret)
        return Enrolment(incomplete.challenge, secret, user.name)

    async def add_app(self, principal: Principal, challenge: str, code: str) -> list[str]:
        """Recovery codes, if it is the first second factor: it is required from now on. Raises as `begin_app`."""
        found, user = self._attempt(principal, challenge, Step.ENROLMENT)
        _, codes = await self.enrol(found, user, code, principal.address)
        return codes

    async def remove_app(self, principal: Principal, password: str, proof: Proof) -> None:
        """Raises as `begin_app` and `SecondFactorCheck.check`."""
        user = await self._confirmed(principal, password, proof)
        with changed_meanwhile_is(Unauthorized(_CHANGED)):
            await self._accounts.second_factors.remove(user)
        log.warning("a second factor was removed", user=user.name, address=principal.address)

    async def begin_key(self, principal: Principal, password: str, proof: Proof) -> KeyRequest:
        """For the browser, which registers a security key. Raises as `begin_app`, InvalidUser (keys are off)."""
        user = await self.confirm(principal, password, proof)
        asked = new_challenge()
        incomplete = self._challenges.issue(Step.ENROLMENT, user, signed_in=True, key_challenge=asked)
        return KeyRequest(incomplete.challenge, await self._security_keys.options(user, asked))

    async def add_key(self, principal: Principal, challenge: str, registration: Registration, name: str) -> list[str]:
        """As `add_app`. Raises InvalidUser (the name, or the key) too."""
        found, user = self._attempt(principal, challenge, Step.ENROLMENT)
        _, codes = await self.enrol_key(found, user, registration, name, principal.address)
        return codes

    async def remove_key(self, principal: Principal, password: str, proof: Proof, key_id: str) -> None:
        """Raises as `remove_app`."""
        user = await self._confirmed(principal, password, proof)
        with changed_meanwhile_is(Unauthorized(_CHANGED)):
            await self._security_keys.remove(user, key_id)
        log.warning("a security key was removed", user=user.name, address=principal.address)

    async def new_recovery_codes(self, principal: Principal, password: str, proof: Proof) -> list[str]:
        """In place of all before. Raises as `remove_app`."""
        user = await self._confirmed(principal, password, proof)
        with changed_meanwhile_is(Unauthorized(_CHANGED)):
            return await self._accounts.second_factors.new_recovery_codes(user)

    async def enrol(self, found: Challenge, user: User, code: str, address: str) -> tuple[User, list[str]]:
        """Set up the app whose secret belongs to the challenge. Raises Unauthorized, AccountsUnavailable."""
        if not found.secret:
            raise ChallengeEnded
        step = totp.step_of(found.secret, "".join(code.split()), time.time())
        if step is None:
            raise WrongCode("This is not the code that the app shows now. Is the clock of its device right?")
        with self._challenges.using(found), changed_meanwhile_is(ChallengeEnded()), acting(actor_of(user, address)):
            added = await self._check.add(user, found.secret, step)
        log.info("a second factor is set up", user=user.name, address=address)
        return added

    async def enrol_key(
        self, found: Challenge, user: User, registration: Registration, name: str, address: str
    ) -> tuple[User, list[str]]:
        """Set up the key that was asked for with the challenge. Raises InvalidUser, and as `enrol`."""
        asked = self._challenges.take_key_challenge(found)
        with self._challenges.using(found), changed_meanwhile_is(ChallengeEnded()), acting(actor_of(user, address)):
            added = await self._security_keys.add(user, registration, asked, name)
        log.info("a security key is set up", user=user.name, address=address)
        return added

    def _attempt(self, principal: Principal, challenge: str, step: Step) -> tuple[Challenge, User]:
        """The challenge of who answers it. Raises ChallengeEnded, InvalidUser (it is no user)."""
        check_person(principal)
        found, user = self._challenges.attempt(challenge, step, self._accounts.by_id, signed_in=True)
        if user.id != principal.user_id:
            raise ChallengeEnded
        return found, user

    async def _confirmed(self, principal: Principal, password: str, proof: Proof) -> User:
        user = await self.confirm_password(principal, password)
        await self._prove(user, proof, principal)
        return user

    async def _prove(self, user: User, proof: Proof, principal: Principal) -> None:
        """Use the second factor. Raises WrongCode, ChallengeEnded, TooManyAttempts, AccountsUnavailable."""
        if isinstance(proof, str):
            await self._check.check(user, proof, principal.address)
            return
        found, _ = self._attempt(principal, proof.challenge, Step.SECOND_FACTOR)
        asked = self._challenges.take_key_challenge(found)
        with self._challenges.using(found):
            await self._security_keys.check(user, proof.credential, asked, principal.address)

    async def confirm(self, principal: Principal, password: str, proof: Proof) -> User:
        """The password, and the second factor of who has one. `proof`: "" of who has none. Raises as `begin_app`."""
        user = await self.confirm_password(principal, password)
        if user.second_factor:
            await self._prove(user, proof, principal)
        return user

    async def confirm_password(self, principal: Principal, password: str) -> User:
        """Raises Unauthorized, InvalidUser (it is no user), TooManyAttempts, AccountsUnavailable."""
        check_person(principal)
        right = await self._sign_ins.check(principal.name or "", password, principal.address)
        user = self._accounts.by_id(principal.user_id)
        if not right or user is None or not user.active or user.generation != principal.generation:
            raise Unauthorized("The password is wrong.")
        return user


async def methods_of(user: User, accounts: Accounts, security_keys: SecurityKeyCheck) -> tuple[FactorMethod, ...]:
    """With which second factors the user can sign in. Raises AccountsUnavailable."""
    app = (FactorMethod.TOTP,) if await accounts.second_factors.of(user) else ()
    keys = (FactorMethod.SECURITY_KEY,) if await security_keys.of(user) else ()
    return (*app, *keys, FactorMethod.RECOVERY_CODE)


@contextmanager
def changed_meanwhile_is(refusal: Unauthorized) -> Iterator[None]:
    """What was proved for the user does not hold any more, because somebody else has changed it: raises `refusal`."""
    try:
        yield
    except (SecondFactorExists, UnknownUser, UserChanged):
        raise refusal from None
