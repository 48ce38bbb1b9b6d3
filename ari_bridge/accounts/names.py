"""What a user may be called."""

import re

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class InvalidUser(ValueError):
    """A name, a password or a users file that cannot be used; the text says why, `field` which value is wrong."""

    def __init__(self, message: str, field: str = "user") -> None:
        super().__init__(message)
        self.field = field


def check_name(name: str) -> str:
    """The name. Raises InvalidUser."""
    if not is_name(name):
        raise InvalidUser(f"{name[:80]!r} is no user name: it has 1 to 64 letters, digits, dots, dashes, underscores")
    return name


def is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))
