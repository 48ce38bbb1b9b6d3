"""Challenges: few for a user, and each ends by itself."""

import pytest
from msgspec.structs import replace

from ari_bridge.accounts import User
from frontend.auth.challenges import LIFETIME_S, MAX_ATTEMPTS, MAX_PER_USER, Challenges, Step
from frontend.auth.errors import Unauthorized

ALICE, BOB = (User(id=f"usr_{name}", name=name, must_change_password=True) for name in ("alice", "bob"))


def find(user_id: str) -> User | None:
    return {user.id: user for user in (ALICE, BOB)}.get(user_id)


def test_the_oldest_of_a_user_is_dropped_for_the_next_and_nobody_else_s() -> None:
    challenges = Challenges(lambda: 0.0)
    other = challenges.issue(Step.PASSWORD_CHANGE, BOB).challenge
    issued = [challenges.issue(Step.PASSWORD_CHANGE, ALICE).challenge for _ in range(MAX_PER_USER + 1)]
    with pytest.raises(Unauthorized):
        challenges.attempt(issued[0], Step.PASSWORD_CHANGE, find)
    for token, user in ((issued[1], ALICE), (issued[-1], ALICE), (other, BOB)):
        assert challenges.attempt(token, Step.PASSWORD_CHANGE, find)[1] is user


def test_who_has_signed_in_drops_no_challenge_of_a_sign_in() -> None:
    challenges = Challenges(lambda: 0.0)
    begun = challenges.issue(Step.SECOND_FACTOR, ALICE).challenge
    proofs = [challenges.issue(Step.SECOND_FACTOR, ALICE, signed_in=True).challenge for _ in range(MAX_PER_USER + 1)]
    assert challenges.attempt(begun, Step.SECOND_FACTOR, find)[1] is ALICE
    with pytest.raises(Unauthorized):
        challenges.attempt(proofs[0], Step.SECOND_FACTOR, find, signed_in=True)
    assert challenges.attempt(proofs[1], Step.SECOND_FACTOR, find, signed_in=True)[1] is ALICE


def test_those_that_have_ended_are_forgotten() -> None:
    now = 0.0
    challenges = Challenges(lambda: now)
    first = challenges.issue(Step.PASSWORD_CHANGE, ALICE).challenge
    now = LIFETIME_S
    with pytest.raises(Unauthorized):
        challenges.attempt(first, Step.PASSWORD_CHANGE, find)
    challenges.issue(Step.PASSWORD_CHANGE, BOB)
    assert len(challenges) == 1


def test_one_is_of_no_use_once_a_second_factor_was_set_up() -> None:
    challenges = Challenges(lambda: 0.0)
    for step in (Step.PASSWORD_CHANGE, Step.ENROLMENT):
        token = challenges.issue(step, ALICE).challenge
        assert challenges.attempt(token, step, find)
        with pytest.raises(Unauthorized):
            challenges.attempt(token, step, lambda _: replace(ALICE, second_factor=True))


def test_one_that_is_in_use_is_nobody_else_s_and_is_as_good_as_before_after_an_error() -> None:
    challenges = Challenges(lambda: 0.0)
    found, _ = challenges.attempt(challenges.issue(Step.ENROLMENT, ALICE).challenge, Step.ENROLMENT, find)
    with pytest.raises(ZeroDivisionError), challenges.using(found):
        with pytest.raises(Unauthorized), challenges.using(found):
            pytest.fail("two use it")
        raise ZeroDivisionError
    with challenges.using(found):
        pass
    with pytest.raises(Unauthorized), challenges.using(found):
        pytest.fail("it was used up")


def test_what_costs_more_counts_more() -> None:
    challenges = Challenges(lambda: 0.0)
    token = challenges.issue(Step.PASSWORD_CHANGE, ALICE).challenge
    found, _ = challenges.attempt(token, Step.PASSWORD_CHANGE, find)
    with pytest.raises(ZeroDivisionError), challenges.using(found, attempts=MAX_ATTEMPTS - 1):
        raise ZeroDivisionError
    with pytest.raises(Unauthorized):
        challenges.attempt(token, Step.PASSWORD_CHANGE, find)
