"""Types as TypeScript writes them: in the reference, and in the types that are generated for the SDK."""

import enum
import json
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Detail, Outcome
from ari_bridge_protocol import messages
from frontend.http.parameters import bare

_SCALARS: dict[object, str] = {str: "string", int: "number", float: "number", bool: "boolean", Any: "unknown"}
ENUMS: tuple[type[enum.Enum], ...] = (Direction, Outcome, Detail)


def type_text(annotation: object) -> str:
    """A TypeScript type, with null where None may be."""
    if bare(annotation) == bare(messages.ClientState):
        return "ClientState"
    if annotation is type(None):
        return "null"
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return annotation.__name__ if annotation in ENUMS else " | ".join(json.dumps(one.value) for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation.__name__
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(parts[0])
    if origin in (list, tuple):
        item = type_text(parts[0])
        return f"({item})[]" if " | " in item else f"{item}[]"
    if origin is dict:
        return f"Record<string, {type_text(parts[1])}>"
    if origin is Literal:
        return literal_text(annotation)
    if origin in (types.UnionType, Union):
        return " | ".join(map(type_text, parts))
    raise TypeError(f"no TypeScript type is known for {annotation!r}")


def literal_text(annotation: object) -> str:
    return " | ".join(json.dumps(value) for value in get_args(annotation))
