"""Reading NG responses, whose parts may be missing or of another type. Pure."""

from typing import Any


def value_at(value: Any, *keys: str) -> Any:
    """The value below nested dictionaries; None if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def list_at(value: Any, key: str) -> list[Any]:
    """The list of that key; empty if there is none."""
    found = value_at(value, key)
    return found if isinstance(found, list) else []


def streams_of(response: Any, tag: str) -> list[Any]:
    """The packet streams that the side `tag` sends, of a response to `query` or `delete`."""
    return [one for media in list_at(value_at(response, "tags", tag), "medias") for one in list_at(media, "streams")]
