"""Challenges: few for a user, and each ends by itself."""

import pytest

from ari_bridge.accounts import User
from frontend.auth.challenges import LIFETIME_S, MAX_PER_USER, Challenges, Step
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


def test_those_that_have_ended_are_forgotten() -> None:
    now = 0.0
    challenges = Challenges(lambda: now)
    first = challenges.issue(Step.PASSWORD_CHANGE, ALICE).challenge
    now = LIFETIME_S
    with pytest.raises(Unauthorized):
        challenges.attempt(first, Step.PASSWORD_CHANGE, find)
    challenges.issue(Step.PASSWORD_CHANGE, BOB)
    assert len(challenges) == 1
