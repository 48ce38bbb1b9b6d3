"""What an entry of the audit log is, and its hash. Pure."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ari_bridge.guest_names import without_guests

FIRST_HASH = ""
"""What the first entry has for the hash of the entry before it."""
MAX_TEXT_CHARACTERS = 256
"""Of each text; what is longer is cut."""
MAX_DETAILS = 16
MAX_LIST_ITEMS = 100

Detail = str | int | float | bool | None | list[str] | tuple[str, ...]

_SECRET = re.compile(r"password|token|secret|authorization|digits|dtmf", re.IGNORECASE)
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class ActorKind(StrEnum):
    USER = "user"
    """A person who has signed in, or tries to."""
    KEY = "key"
    """A program with an API key."""
    TOKEN = "token"
    """Somebody with a client token, which such a program has made; the id is the key's."""
    SYSTEM = "system"
    """The server itself, or a caller from outside."""
    CLI = "cli"
    """Somebody with a shell on the machine; the name is that of the operating system."""


class Result(StrEnum):
    OK = "ok"
    REFUSED = "refused"
    """It was not allowed."""
    FAILED = "failed"
    """It was allowed, and did not work."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Args:
        id: Of the user or key, which no other ever has; of a client token that of its key; "" if unknown.
        name: As people know the actor.
        tenant: Whose member the actor is; "" if unknown.
        address: The client's IP address, proxies left out; "" if there is none.
    """

    kind: ActorKind
    id: str = ""
    name: str = ""
    tenant: str = ""
    address: str = ""

    def named(self, name: str) -> "Actor":
        return replace(self, name=name)


SYSTEM = Actor(ActorKind.SYSTEM)


class Unsealed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What happened, before it has its place in the chain."""

    id: Annotated[str, Meta(description="of the entry")]
    at: Annotated[float, Meta(description="when, in Unix seconds")]
    actor_kind: ActorKind
    actor_id: Annotated[
        str, Meta(description="id of the user or key, of a client token that of its key; empty if unknown")
    ]
    actor: Annotated[str, Meta(description="name of the user, key or account of the operating system")]
    tenant: Annotated[str, Meta(description="of the actor")]
    address: Annotated[str, Meta(description="IP address of the client; empty if there is none")]
    action: Annotated[str, Meta(description="what was done: one of those in [AUDIT.md](AUDIT.md#actions)")]
    object: Annotated[str, Meta(description="what it was done to: a user, call, number, recording, …")]
    result: Result
    request_id: Annotated[str, Meta(description="`X-Request-Id` of the request, also in the server's log")]
    details: Annotated[dict[str, Any], Meta(description="depends on the action; docs/AUDIT.md")]


class Entry(Unsealed, frozen=True, kw_only=True, rename="camel"):
    number: Annotated[int, Meta(description="increases by one", ge=1)]
    previous_hash: Annotated[str, Meta(description="`hash` of the entry before it; empty in the first one")]
    hash: Annotated[str, Meta(description="SHA-256 of the other fields as canonical JSON, in hexadecimal")]


def seal(number: int, previous_hash: str, unsealed: Unsealed) -> Entry:
    """The entry with its place in the chain."""
    values = {name: getattr(unsealed, name) for name in Unsealed.__struct_fields__}
    entry = Entry(**values, number=number, previous_hash=previous_hash, hash="")
    return msgspec.structs.replace(entry, hash=hash_of(entry))


def hash_of(entry: Entry) -> str:
    """SHA-256 of all fields but `hash`, as JSON with sorted names and without spaces (docs/AUDIT.md)."""
    fields = msgspec.to_builtins(entry)
    del fields["hash"]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def storable(text: str) -> str:
    """The text, cut, without what no database stores and without what makes the name of a guest a secret."""
    return _NOT_STORABLE.sub("\ufffd", without_guests(text))[:MAX_TEXT_CHARACTERS]


def storable_details(details: Mapping[str, Detail]) -> dict[str, Any]:
    """Bounded, and without secrets, whatever was given."""
    kept = list(details.items())[:MAX_DETAILS]
    return {storable(name): "(hidden)" if _is_secret(name, value) else _storable(value) for name, value in kept}


def _is_secret(name: str, value: Detail) -> bool:
    return bool(_SECRET.search(name)) and isinstance(value, str | list | tuple)


def _storable(value: Detail) -> Any:
    match value:
        case str():
            return storable(str(value))
        case list() | tuple():
            return [storable(str(item)) for item in value[:MAX_LIST_ITEMS]]
        case float() if not math.isfinite(value):
            return None
        case bool() | int() | float() | None:
            return value
    return storable(repr(value))
