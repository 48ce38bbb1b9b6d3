"""Sign-ins that are not complete: the password was right, and something else is still required of the user.

The challenge is a random string that is good for that one step and nothing else: it is no token, and no other route
takes it. It is of no use after another password, a lock or a removal (generation), once a second factor was set up or
removed, and after a few minutes. Challenges are kept in memory: after a restart one signs in from the beginning.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from ari_bridge.accounts import User
from frontend.auth.errors import ChallengeEnded, FactorMethod, SignInIncomplete, WrongKey
from frontend.auth.relying_party import CHALLENGE_LIFETIME_S, new_challenge

LIFETIME_S = 600.0
"""How long a step may take: long enough to think of a password, or to install an app."""
MAX_ATTEMPTS = 20
"""Answers that are tried on one challenge; then one signs in again."""
MAX_PER_USER = 8
"""The oldest one is dropped for the next. Those of sign-ins, which only who knows the password gets, and those of who
has signed in, for which a token suffices, are counted apart: a stolen token keeps nobody from signing in."""
MAX_CHALLENGES = 10_000


class Step(StrEnum):
    """What is required next; the values are the codes of the problems that say so."""

    PASSWORD_CHANGE = "password_change_required"
    SECOND_FACTOR = "second_factor_required"
    ENROLMENT = "second_factor_enrolment_required"


_DETAILS = {
    Step.SECOND_FACTOR: "The password is right. POST /session/second-factor takes the `challenge` and the code of the "
    "app, or a recovery code; POST /session/second-factor/key asks a security key.",
    Step.ENROLMENT: "Your role needs a second factor: set up an authenticator app or a security key. POST "
    "/session/second-factor/enrolment or /session/second-factor/enrolment/key takes the `challenge`.",
    Step.PASSWORD_CHANGE: "Choose a password of your own: somebody else knows this one. "
    "POST /session/password takes the `challenge`.",
}


@dataclass(frozen=True)
class Challenge:
    """What is kept of a challenge.

    Args:
        enrolled: Whether the user had a second factor.
        signed_in: Of somebody who sets up or proves a second factor while signed in, not of a sign-in.
        second_factor: Whether the second factor was given too.
        expires_at: By the monotonic clock.
        secret: Of the app that is being set up; "" if none is.
        key_challenge: What a security key has been asked to sign; b"" if none is asked.
        key_expires_at: Until when it may, by the monotonic clock.
    """

    token: str
    step: Step
    user_id: str
    generation: int
    enrolled: bool
    signed_in: bool
    second_factor: bool
    expires_at: float
    attempts: int = 0
    secret: str = ""
    key_challenge: bytes = b""
    key_expires_at: float = 0.0


class Challenges:
    """`clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Challenge] = OrderedDict()
        self._in_use: set[str] = set()

    def __len__(self) -> int:
        return len(self._open)

    def issue(
        self,
        step: Step,
        user: User,
        *,
        signed_in: bool = False,
        second_factor: bool = False,
        secret: str = "",
        key_challenge: bytes = b"",
        methods: tuple[FactorMethod, ...] = (),
    ) -> SignInIncomplete:
        """What the answer to the sign-in is, to be raised."""
        now = self._clock()
        for token, one in list(self._open.items()):
            if one.expires_at > now:
                break  # they are in the order of their ends
            del self._open[token]
        kind = (user.id, signed_in)
        of_user = [token for token, one in self._open.items() if (one.user_id, one.signed_in) == kind]
        if len(of_user) >= MAX_PER_USER:
            del self._open[of_user[0]]
        if len(self._open) >= MAX_CHALLENGES:
            self._open.popitem(last=False)
        token = secrets.token_urlsafe(32)
        self._open[token] = Challenge(
            token,
            step,
            user.id,
            user.generation,
            enrolled=user.second_factor,
            signed_in=signed_in,
            second_factor=second_factor,
            expires_at=now + LIFETIME_S,
            secret=secret,
            key_challenge=key_challenge,
            key_expires_at=now + CHALLENGE_LIFETIME_S,
        )
        return SignInIncomplete(step.value, _DETAILS[step], token, methods)

    def attempt(
        self, token: str, step: Step, by_id: Callable[[str], User | None], *, signed_in: bool = False
    ) -> tuple[Challenge, User]:
        """The challenge that is answered, and its user; it counts as one attempt. Raises ChallengeEnded.

        `signed_in`: it is answered by somebody who has signed in. A challenge of the one is nothing for the other.
        """
        found = self._open.get(token)
        user = by_id(found.user_id) if found else None
        if (
            found is None
            or user is None
            or found.step is not step
            or found.signed_in is not signed_in
            or found.expires_at <= self._clock()
            or found.attempts >= MAX_ATTEMPTS
            or not user.active
            or user.generation != found.generation
            or user.second_factor is not found.enrolled
        ):
            raise ChallengeEnded
        self._open[token] = replace(found, attempts=found.attempts + 1)
        return found, user

    def set_secret(self, challenge: Challenge, secret: str) -> None:
        """Of the app that is being set up, in place of one before."""
        if found := self._open.get(challenge.token):
            self._open[challenge.token] = replace(found, secret=secret)

    def ask_key(self, challenge: Challenge) -> bytes:
        """What a security key is to sign, in place of one before."""
        made = new_challenge()
        if found := self._open.get(challenge.token):
            expires_at = self._clock() + CHALLENGE_LIFETIME_S
            self._open[challenge.token] = replace(found, key_challenge=made, key_expires_at=expires_at)
        return made

    def take_key_challenge(self, challenge: Challenge) -> bytes:
        """What the security key was asked to sign: it is good for one answer, right or wrong. Raises WrongKey."""
        found = self._open.get(challenge.token)
        if found is None or not found.key_challenge or found.key_expires_at <= self._clock():
            raise WrongKey("This took too long, or was done before. Try again.")
        self._open[challenge.token] = replace(found, key_challenge=b"")
        return found.key_challenge

    @contextmanager
    def using(self, challenge: Challenge, *, attempts: int = 0) -> Iterator[None]:
        """Nobody else uses it meanwhile. It is used up if all goes well; after an error it is as good as before.

        `attempts`: how many more this counts as, because it costs the server more. Raises ChallengeEnded: it was used
        up, or is in use.
        """
        token = challenge.token
        found = self._open.get(token)
        if found is None or token in self._in_use:
            raise ChallengeEnded
        self._open[token] = replace(found, attempts=found.attempts + attempts)
        self._in_use.add(token)
        try:
            yield
            self._open.pop(token, None)
        finally:
            self._in_use.discard(token)
