"""Passwords: hashed by argon2id, and which of them are good enough.

Hashing takes some 50 ms and 64 MiB: run it in a thread, and few at once.
"""

import functools
import os
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ari_bridge.accounts.names import InvalidUser

MAX_CHARACTERS = 1024
MIN_CHARACTERS = 12
"""The setting MIN_PASSWORD_LENGTH, unless it says otherwise."""
_MIN_DIFFERENT = 5
_MIN_OWN = 5
"""Characters that a password must have besides a common word or the user's name in it."""

hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Raises InvalidUser if the password is too long to be hashed."""
    if len(password) > MAX_CHARACTERS:
        raise InvalidUser(f"the password has more than {MAX_CHARACTERS} characters", "password")
    return hasher.hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Whether it is the password. Without a hash it takes as long, and is not."""
    missing = _hash_of_no_one()  # also if it is not needed: the first sign-in takes longer, whoever it is
    try:
        return hasher.verify(password_hash or missing, password) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """The hash was made with weaker parameters than those of today."""
    return hasher.check_needs_rehash(password_hash)


def check(password: str, name: str, *, min_characters: int = MIN_CHARACTERS) -> None:
    """Raises InvalidUser, with what is wrong with the password."""
    if len(password) < min_characters:
        raise InvalidUser(f"the password has fewer than {min_characters} characters", "password")
    if len(password) > MAX_CHARACTERS:
        raise InvalidUser(f"the password has more than {MAX_CHARACTERS} characters", "password")
    lower = password.lower()
    if len(set(lower)) < _MIN_DIFFERENT:
        raise InvalidUser(f"the password has fewer than {_MIN_DIFFERENT} different characters", "password")
    parts = {*"".join(letter if letter.isalpha() else " " for letter in lower).split(), lower[: len(lower) // 2]}
    guessed = {part for part in parts if part == name.lower() or part in _common()} | {name.lower()} & {lower}
    own = lower
    for word in guessed | {name.lower()}:
        own = own.replace(word, "")
    if lower in _common() or len(own) < _MIN_OWN and len(guessed) <= 1:
        raise InvalidUser(
            "the password is a common one, or made of one or of the name: it would be guessed", "password"
        )


@functools.cache
def _common() -> frozenset[str]:
    text = resources.files("ari_bridge.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


@functools.cache
def _hash_of_no_one() -> str:
    """Verified for a name that does not exist: how long that takes tells nothing about names."""
    return hasher.hash(os.urandom(16).hex())
