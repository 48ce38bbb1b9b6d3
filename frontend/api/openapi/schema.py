"""The structs of the HTTP API, found by way of its operations, and what their source says of their fields."""

import enum
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import msgspec

from frontend.api.openapi.comments import Comments, comment_of, field_comments
from frontend.http.endpoint import Endpoint
from frontend.http.problems import Problem


def structs_of(operations: tuple[Endpoint[Any, Any], ...]) -> list[type[msgspec.Struct]]:
    """Everything that is sent or answered as JSON, the parts after what they are part of; not the parameters."""
    found: dict[type[msgspec.Struct], None] = {}
    for operation in operations:
        for shape in (*(answer.shape for answer in operation.answers.values()), operation.body):
            if operation.has_body or shape is not operation.body:
                _collect(shape, found)
    _collect(Problem, found)
    return list(found)


def enums_of(structs: list[type[msgspec.Struct]]) -> list[type[enum.Enum]]:
    """In the order in which they are first met."""
    found = [kind for struct in structs for field in msgspec.structs.fields(struct) for kind in _enums(field.type)]
    return list(dict.fromkeys(found))


def description_of(struct: type[msgspec.Struct], field: str) -> str | None:
    return comment_of(struct, field, _comments(struct))


def _comments(struct: type[msgspec.Struct]) -> Comments:
    """Of the struct's own module, and of those where its bases are."""
    found: Comments = {}
    for cls in struct.__mro__:
        if issubclass(cls, msgspec.Struct) and cls is not msgspec.Struct:
            found |= _comments_of(cls.__module__)
    return found


@cache
def _comments_of(module: str) -> Comments:
    return field_comments(inspect.getsource(sys.modules[module]))


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
