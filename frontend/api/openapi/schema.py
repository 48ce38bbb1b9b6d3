"""The structs of the HTTP API, found through its endpoints, and the descriptions that their types carry."""

import enum
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec

from frontend.http.endpoint import Endpoint
from frontend.http.problems import Problem


def structs_of(endpoints: tuple[Endpoint[Any, Any], ...]) -> list[type[msgspec.Struct]]:
    """Everything that is sent or answered as JSON, the parts after what they are part of; not the parameters."""
    found: dict[type[msgspec.Struct], None] = {}
    for endpoint in endpoints:
        for shape in (*(answer.shape for answer in endpoint.responses.values()), endpoint.body):
            if endpoint.has_body or shape is not endpoint.body:
                _collect(shape, found)
    _collect(Problem, found)
    return list(found)


def enums_of(structs: list[type[msgspec.Struct]]) -> list[type[enum.Enum]]:
    """In the order in which they are first met."""
    found = [kind for struct in structs for field in msgspec.structs.fields(struct) for kind in _enums(field.type)]
    return list(dict.fromkeys(found))


def description_of(annotation: Any) -> str | None:
    """What `Annotated[T, Meta(description=...)]` says of a field; the outermost one counts.

    The description of a parameter with a text format of its own is not meant: that one says how it is written.
    """
    metas = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    said = [one.description for one in metas if isinstance(one, msgspec.Meta) and not (one.extra or {}).get("parse")]
    return next((text for text in reversed(said) if text), None)


def _collect(annotation: Any, found: dict[type[msgspec.Struct], None]) -> None:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        if annotation not in found:
            found[annotation] = None
            for field in msgspec.structs.fields(annotation):
                _collect(field.type, found)
        return
    for part in get_args(annotation):
        _collect(part, found)


def _enums(annotation: Any) -> Iterator[type[enum.Enum]]:
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        yield annotation
    for part in get_args(annotation):
        yield from _enums(part)
