"""Makes the Python client's types of the HTTP API out of the server's structs: run `python -m frontend.codegen`.

The client is a distribution without the server, so it cannot import them. Enums and literals of the server that are no
part of `ari_bridge_protocol` become strings: a later server may have further values.
"""

import enum
import inspect
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from ari_bridge_protocol import messages
from frontend.api.openapi.schema import description_of, structs_of
from frontend.api.openapi.type_text import ENUMS
from frontend.api.routes import ENDPOINTS

TARGET = Path(__file__).parents[2] / "clients" / "python" / "ari_bridge_client" / "api_models.py"

_HEADER = '''\
"""The responses of the HTTP API.

Generated from the endpoints of frontend/ by `python -m frontend.codegen`. Do not edit.
"""

'''
_WIDTH = 120


def generate() -> str:
    """The whole module, ending in a newline."""
    requests = {endpoint.body for endpoint in ENDPOINTS}
    structs = [one for one in _parts_first(structs_of(ENDPOINTS)) if one not in requests and not _is_message(one)]
    body = "\n\n\n".join(map(_struct, structs)) + "\n"
    words = set(body.replace("[", " ").replace("]", " ").replace(",", " ").split())
    lines = ["from typing import Any\n"] if "Any" in words else []
    lines += ["import msgspec\n"]
    used = sorted(one.__name__ for one in structs_of(ENDPOINTS) if _is_message(one) and one.__name__ in words)
    imports = {messages.__name__: used}
    for kind in ENUMS:
        if kind.__name__ in words:
            imports.setdefault(kind.__module__, []).append(kind.__name__)
    lines += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(imports.items()) if names]
    return _HEADER + "\n".join(lines) + "\n\n\n" + body


def _is_message(struct: type[msgspec.Struct]) -> bool:
    return getattr(messages, struct.__name__, None) is struct


def _parts_first(structs: list[type[msgspec.Struct]]) -> Iterator[type[msgspec.Struct]]:
    """Each struct after those that its fields have."""
    done: set[type[msgspec.Struct]] = set()

    def visit(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
        if struct not in done:
            done.add(struct)
            for field in msgspec.structs.fields(struct):
                for part in _structs_in(field.type):
                    yield from visit(part)
            yield struct

    for struct in structs:
        yield from visit(struct)


def _structs_in(annotation: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for part in get_args(annotation):
        yield from _structs_in(part)


def _struct(struct: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(struct)
    lines = [f'class {struct.__name__}(msgspec.Struct, frozen=True, rename="camel"):']
    lines += _docstring(struct.__dict__.get("__doc__"), {field.name: _description(field.type) for field in fields})
    for field in fields:
        default = "" if field.required else f" = {_default(field)}"
        if field.encode_name != _camel(field.name):
            given = (
                f'name="{field.encode_name}"'
                if field.required
                else f'default={_default(field)}, name="{field.encode_name}"'
            )
            default = f" = msgspec.field({given})"
        lines.append(f"    {field.name}: {_type(field.type)}{default}")
    return "\n".join(lines)


def _camel(name: str) -> str:
    """As `rename="camel"` has it."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _docstring(text: str | None, attributes: dict[str, str]) -> list[str]:
    described = {name: said for name, said in attributes.items() if said}
    if not text and not described:
        return []
    lines = inspect.cleandoc(text).splitlines() if text else []
    if described:
        lines += ["", "Attributes:"] if lines else ["Attributes:"]
        for name, said in described.items():
            said = f"{name}: {said[0].upper()}{said[1:]}"
            lines += textwrap.wrap(said, _WIDTH - 4, initial_indent="    ", subsequent_indent="        ")
    if len(lines) == 1:
        return [f'    """{lines[0]}"""', ""]
    mark = "" if text else "\n    "
    first, *rest = lines
    return [f'    """{mark}{first}', *(f"    {line}".rstrip() for line in rest), '    """', ""]


def _description(annotation: Any) -> str:
    """What its `Meta` says, and the values of what is a string here and no string on the server."""
    values = ", ".join(_values(annotation))
    said = (description_of(annotation) or "").rstrip(".")
    return "; ".join(filter(None, [said, values and f"one of: {values}"]))


def _values(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        if annotation not in ENUMS:
            yield from (str(one.value) for one in annotation)
    elif get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for part in get_args(annotation):
            yield from _values(part)


def _type(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Any:
        return "Any"
    if origin is Literal:
        return "str"
    if origin in (types.UnionType, Union):
        return " | ".join(map(_type, parts))
    if origin is not None:
        return f"{origin.__name__}[{', '.join('...' if part is ... else _type(part) for part in parts)}]"
    if issubclass(annotation, enum.Enum) and annotation not in ENUMS:
        return "str"
    return str(annotation.__name__)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    else:
        value = field.default_factory()
    return msgspec.json.encode(value).decode() if isinstance(value, str) else repr(value)


def outputs() -> dict[Path, bytes]:
    """What is committed of it."""
    return {TARGET: generate().encode()}
