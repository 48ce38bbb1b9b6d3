"""The users file: one `name:argon2-hash` a line, as `ari-bridge user add` writes it."""

import os
import re
from functools import cached_property
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ari_bridge import atomic_file

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MAX_PASSWORD_CHARACTERS = 1024
"""The longest password."""


class InvalidUser(ValueError):
    """A name or a users file that cannot be used; the text says why."""


def check_name(name: str) -> str:
    """The name. Raises InvalidUser."""
    if not is_name(name):
        raise InvalidUser(f"{name[:80]!r} is no user name: it has 1 to 64 letters, digits, dots, dashes, underscores")
    return name


def is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


class Users:
    """Read again whenever the file has changed, so that a new user needs no restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hasher = PasswordHasher()
        self._read_at: tuple[int, int] | None = None
        self._hashes: dict[str, str] = {}

    @cached_property
    def _nobody(self) -> str:
        """Checked for a name that does not exist: how long an answer takes tells nothing about names.

        Not made at the start, which it would hold up by some 50 ms.
        """
        return self._hasher.hash(os.urandom(16).hex())

    def verify(self, name: str, password: str) -> bool:
        """Whether this is the user's password. Takes some 50 ms of CPU: run it in a thread. Raises InvalidUser."""
        nobody = self._nobody  # for a name that exists too: the first answer takes longer, whoever is asked for
        known = self._read().get(name)
        try:
            return self._hasher.verify(known or nobody, password) and known is not None
        except (VerificationError, InvalidHashError):
            return False

    def add(self, name: str, password: str) -> None:
        """Add the user, or change the password. The file is written anew as a whole, mode 600. Raises InvalidUser."""
        if not password:
            raise InvalidUser("the password is empty")
        if len(password) > MAX_PASSWORD_CHARACTERS:
            raise InvalidUser(f"the password has more than {MAX_PASSWORD_CHARACTERS} characters")
        hashes = self._read() | {check_name(name): self._hasher.hash(password)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write(self._path, "".join(f"{user}:{hashed}\n" for user, hashed in hashes.items()).encode())

    def hash_of(self, name: str) -> str | None:
        """What is kept of the user's password; None where there is no such user. Raises InvalidUser."""
        return self._read().get(name)

    def check(self) -> None:
        """Raises InvalidUser, OSError where the file cannot be read."""
        self._read_at = None
        self._read()

    def names(self) -> list[str]:
        """Raises InvalidUser."""
        return sorted(self._read())

    def _read(self) -> dict[str, str]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return {}
        if self._read_at != (status.st_mtime_ns, status.st_size):
            self._hashes = _parse(self._path)
            self._read_at = (status.st_mtime_ns, status.st_size)
        return self._hashes


def _parse(path: Path) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, found, hashed = line.strip().partition(":")
        if not found or not _NAME.fullmatch(name) or not hashed.startswith("$argon2"):
            raise InvalidUser(f"{path}, line {number}: not NAME:ARGON2-HASH")
        hashes[name] = hashed
    return hashes
