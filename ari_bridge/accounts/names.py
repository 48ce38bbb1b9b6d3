"""What a user may be called."""

import re

from ari_bridge.guest_names import KEY_PREFIX, guest_key
from ari_bridge.number import SPECIAL_EXTENSIONS

MAX_DISPLAY_NAME_CHARACTERS = 80
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class InvalidUser(ValueError):
    """A name, a password or a users file that cannot be used; the text says why, `field` which value is wrong."""

    code = "invalid_request"

    def __init__(self, message: str, field: str | None = "user") -> None:
        super().__init__(message)
        self.field = field


def check_name(name: str) -> str:
    """The name. Raises InvalidUser."""
    if not is_name(name):
        raise InvalidUser(f"{name[:80]!r} is no user name: it has 1 to 64 letters, digits, dots, dashes, underscores")
    return name


def check_new_name(name: str) -> str:
    """The name, for a user who is to be called so from now on. Raises InvalidUser."""
    check_name(name)
    if name.startswith(KEY_PREFIX):
        raise InvalidUser(f"{name[:80]!r} is no user name: those of API keys begin with {KEY_PREFIX}")
    if guest_key(name):
        raise InvalidUser(f"{name[:80]!r} is no user name, but that of a guest of an API key")
    if not name[0].isalnum():  # commands take it for an option, dialplans for a pattern
        raise InvalidUser(f"{name[:80]!r} is no user name: it begins with a letter or a digit")
    if name in SPECIAL_EXTENSIONS:
        raise InvalidUser(f"{name!r} is no user name: the PBX has a special extension of this name")
    return name


def is_new_name(name: str) -> bool:
    """Whether `check_new_name` takes it."""
    try:
        check_new_name(name)
    except InvalidUser:
        return False
    return True


def is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def check_display_name(name: str) -> str:
    """The name for people, without spaces around it. Raises InvalidUser."""
    stripped = name.strip()
    if len(stripped) > MAX_DISPLAY_NAME_CHARACTERS or not stripped.isprintable():
        raise InvalidUser(
            f"a display name is one line of at most {MAX_DISPLAY_NAME_CHARACTERS} characters", "displayName"
        )
    return stripped
