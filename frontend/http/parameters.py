"""Decodes the parameters and the body of a request into structs.

Every error is an InvalidRequest that names the parameter or field. Knows no route.
"""

import enum
import json
import math
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec
from multidict import MultiMapping

from ari_bridge.errors import InvalidRequest
from frontend.http.validation_errors import parse_validation_error

HEADER = msgspec.Meta(extra={"in": "header"})
"""Marks a parameter that is a header: `Annotated[str | None, HEADER]`, with the header's name as the field's `name`."""

ParamLocation = Literal["path", "query", "header"]
S = TypeVar("S", bound=msgspec.Struct)

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_BOOLEANS = {"true": True, "false": False}
_SURROGATE = re.compile("[\ud800-\udfff]")


def text_format(parse: Callable[[str], Any], schema: dict[str, Any], description: str = "") -> msgspec.Meta:
    """Marks a parameter with its own text format: `Annotated[float, text_format(...)]`.

    `parse` raises InvalidRequest, or a ValueError whose text says what the parameter should be: "Unix seconds".
    """
    return msgspec.Meta(extra={"parse": parse}, extra_json_schema=schema, description=description or None)


def parse_timestamp(text: str) -> float:
    """Unix seconds, from a number of seconds or ISO 8601 with a time zone. Raises ValueError."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            parsed = datetime.fromisoformat(text)
            seconds = parsed.timestamp() if parsed.tzinfo else math.nan
        except (ValueError, OverflowError):
            seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("Unix seconds, or a time as 2026-11-24T10:00:00Z")
    return seconds


Timestamp = Annotated[
    float,
    text_format(
        parse_timestamp,
        {"type": "string", "examples": ["1790000000", "2026-11-24T10:00:00Z"]},
        "Unix seconds, or ISO 8601",
    ),
]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `name`: in the request. `field`: of the struct. `type`: without `| None`."""

    name: str
    field: str
    place: ParamLocation
    type: Any
    required: bool
    default: Any = None


def parameters_of(struct: type[msgspec.Struct], path: str) -> tuple[Parameter, ...]:
    """The struct's fields, in order: in the path if it contains `{name}`, else a marked header, else in the query."""
    return tuple(_parameter(one, path) for one in msgspec.structs.fields(struct))


def read_parameters(
    struct: type[S],
    parameters: tuple[Parameter, ...],
    *,
    path: Mapping[str, str],
    query: MultiMapping[str],
    headers: MultiMapping[str],
) -> S:
    """Raises InvalidRequest."""
    known_names = {one.name for one in parameters if one.place == "query"}
    for name in query:
        if name not in known_names:
            known = f", but {', '.join(sorted(known_names))}" if known_names else " here"
            raise InvalidRequest(f"There is no parameter {name[:40]!r}{known}.", field=_printable(name[:40]))
    values = {}
    for one in parameters:
        match one.place:
            case "path":
                given = [path[one.name]]
            case "query":
                given = query.getall(one.name, [])
            case "header":
                given = headers.getall(one.name, [])
        if len(given) > 1:
            raise InvalidRequest(f"{one.name} is given more than once.", field=one.name)
        if given:
            values[one.field] = _read(one, given[0])
        elif one.required:
            raise InvalidRequest(f"{one.name} is missing.", field=one.name)
    return struct(**values)


def read_body(body: bytes, decoder: msgspec.json.Decoder[S], *, empty: S | None) -> S:
    """Decode the body. `empty`: the result if there is no body; None if one is required. Raises InvalidRequest."""
    if not body and empty is not None:
        return empty
    try:
        decoded = decoder.decode(body)
    except msgspec.ValidationError as error:
        what, field = parse_validation_error(str(error))
        raise InvalidRequest(f"The body is not as it should be: {what}.", field=field) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if field := _broken_text(body):
            raise InvalidRequest(f"{field} has half a character (a lone surrogate).", field=field) from error
        raise InvalidRequest(f"The body is not JSON in UTF-8: {error}.") from error
    if b"\\u0000" in body and (field := _find(msgspec.to_builtins(decoded), "\0")):
        raise InvalidRequest(f"{field} has a character NUL.", field=field)
    return decoded


def without_none(annotation: Any) -> Any:
    """`X` of `X | None`: a parameter that is left out is None."""
    if get_origin(annotation) is Annotated:
        inner, *meta = get_args(annotation)
        left = without_none(inner)
        for one in meta:
            if one != HEADER:
                left = Annotated[left, one]
        return left
    if get_origin(annotation) in (types.UnionType, Union):
        left = [part for part in get_args(annotation) if part is not types.NoneType]
        return left[0] if len(left) == 1 else annotation
    return annotation


def bare(annotation: Any) -> Any:
    """The type without its `Annotated` metadata."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def parser_of(annotation: Any) -> Callable[[str], Any] | None:
    """The parser of a parameter with its own text format; None for all others."""
    for meta in get_args(annotation)[1:] if get_origin(annotation) is Annotated else ():
        if isinstance(meta, msgspec.Meta) and meta.extra and (parse := meta.extra.get("parse")):
            return cast(Callable[[str], Any], parse)
    return None


def text_format_schema(annotation: Any) -> dict[str, Any] | None:
    """The JSON Schema of a parameter with its own text format; None for all others."""
    if parser_of(annotation) is None:
        return None
    meta = next(one for one in get_args(annotation)[1:] if isinstance(one, msgspec.Meta) and one.extra)
    description = {"description": meta.description} if meta.description else {}
    return {**(meta.extra_json_schema or {}), **description}


def _parameter(one: msgspec.structs.FieldInfo, path: str) -> Parameter:
    place: ParamLocation = "query"
    if f"{{{one.encode_name}}}" in path:
        place = "path"
    elif get_origin(one.type) is Annotated and HEADER in get_args(one.type)[1:]:
        place = "header"
    default = None if one.default is msgspec.NODEFAULT else one.default
    return Parameter(one.encode_name, one.name, place, without_none(one.type), one.required, default)


def _read(one: Parameter, text: str) -> Any:
    """Raises InvalidRequest."""
    wanted = bare(one.type)
    # In a path such a name is simply an unknown one.
    if one.place != "path" and ("\0" in text or _SURROGATE.search(text) or "\ufffd" in text):
        raise InvalidRequest(f"{one.name} has a character that is none in UTF-8, or NUL.", field=one.name)
    try:
        if parse := parser_of(one.type):
            return parse(text)
        return msgspec.convert(_plain(one, wanted, text), one.type, strict=False)
    except msgspec.ValidationError as error:
        expected = _choices(wanted) or _bounds(one.type) or parse_validation_error(str(error))[0]
    except ValueError as error:
        expected = str(error)
    raise InvalidRequest(f"{one.name} is {expected}, not {text[:40]!r}.", field=one.name)


def _plain(one: Parameter, wanted: Any, text: str) -> Any:
    """The value to convert. Stricter than msgspec, which accepts more notations of numbers than a schema can express.

    Raises ValueError.
    """
    if wanted is int:
        if not _INTEGER.fullmatch(text):
            raise ValueError(_bounds(one.type) or "a whole number")
        return int(text)
    if wanted is float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(_bounds(one.type) or "a number")
        return number
    if wanted is bool:
        if text not in _BOOLEANS:
            raise ValueError("true or false")
        return _BOOLEANS[text]
    return text


def _choices(wanted: Any) -> str:
    """ "one of a, b" for a type with few values."""
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return f"one of {', '.join(str(one.value) for one in wanted)}"
    if get_origin(wanted) is Literal:
        return f"one of {', '.join(map(str, get_args(wanted)))}"
    return ""


def _bounds(annotation: Any) -> str:
    """ "a number from 1 to 60" for a type with bounds."""
    for meta in get_args(annotation)[1:] if get_origin(annotation) is Annotated else ():
        if isinstance(meta, msgspec.Meta):
            if meta.max_length is not None:
                return f"{meta.min_length or 0} to {meta.max_length} characters of those that it may have"
            if meta.le is not None:
                return f"a number from {meta.ge:g} to {meta.le:g}"
            if meta.ge is not None:
                return f"a number, {meta.ge:g} or more"
    return ""


def _broken_text(body: bytes) -> str | None:
    """The name of the value that contains a lone surrogate (invalid in UTF-8): Python's JSON decoder accepts it."""
    try:
        return _find(json.loads(body), _SURROGATE)
    except (ValueError, RecursionError):
        return None


def _find(data: Any, what: "str | re.Pattern[str]", name: str = "") -> str | None:
    """The name of the first string that contains `what`, as `a.b` or `a[0]`."""
    match data:
        case str():
            found = what in data if isinstance(what, str) else what.search(data)
            return name if found else None
        case dict():
            parts = [(f"{name}.{key}" if name else key, value) for key, value in data.items()]
        case list() | tuple():
            parts = [(f"{name}[{number}]", value) for number, value in enumerate(data)]
        case _:
            return None
    return next((there for key, value in parts if (there := _find(value, what, cast(str, key)))), None)


def _printable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
