"""The names of guests: whoever opens a page with an API key has one, `guest-<id of the key>-<random>`. Pure.

Whoever knows the whole name and the key, which anybody can read in the page, can be this guest: others read only
`shown_name`. And whoever opens the page has as many names as they like: limits count under `counted_name`.
"""

import re

KEY_PREFIX = "ab_"
"""How the ids of API keys begin."""
_GUEST = re.compile(r"guest-([a-z0-9]{12})-[0-9a-f]{16,40}")


def guest_key(name: str) -> str | None:
    """The id of the key whose guest has this name; None if it is no guest's."""
    found = _GUEST.fullmatch(name)
    return KEY_PREFIX + found[1] if found else None


def shown_name(name: str) -> str:
    """As others may read it: what is random in a guest's name is a secret of the page."""
    return name.rpartition("-")[0] if guest_key(name) else name


def without_guests(text: str) -> str:
    """The text with the shown names of the guests that it names."""
    return _GUEST.sub(r"guest-\1", text)


def counted_name(name: str) -> str:
    """Under which name limits count what the user causes: a guest's is that of the key, and all its guests share it."""
    return guest_key(name) or name
