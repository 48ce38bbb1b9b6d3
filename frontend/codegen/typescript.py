"""Makes the TypeScript types out of the Python ones: run `python -m frontend.codegen`.

`messages.ts` has the WebSocket protocol of `ari_bridge_protocol/messages.py`, `api.ts` what the HTTP API takes and
answers. The Python structs are the one source of both. Their descriptions and docstrings become comments, so that
the author of a page has them at hand.
"""

import enum
import inspect
import json
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Union, get_args, get_origin

import msgspec

from ari_bridge_protocol import messages
from frontend.api.openapi.schema import description_of, structs_of
from frontend.api.openapi.type_text import ENUMS, literal_text, type_text
from frontend.api.routes import ENDPOINTS
from frontend.http.parameters import bare

SOURCES = Path(__file__).parents[1] / "web" / "packages" / "sip-proxy-client" / "src" / "protocol"
TARGET = SOURCES / "messages.ts"
API_TARGET = SOURCES / "api.ts"

_API_HEADER = "// Generated from the endpoints of frontend/ by `python -m frontend.codegen`. Do not edit.\n"
_HEADER = "// Generated from ari_bridge_protocol/messages.py by `python -m frontend.codegen`. Do not edit.\n"
_PROTOCOL = {struct.__module__ for struct in vars(messages).values() if hasattr(struct, "__struct_fields__")}
_ALIASES = ("ClientState", "PartyState", "RecordingState", "PersonState", "QualityWarning")


def generate() -> str:
    """The whole TypeScript file, ending in a newline."""
    parts = [_HEADER]
    parts += [_enum(choice) for choice in ENUMS]
    for name in _ALIASES:
        alias = getattr(messages, name)
        parts += [f"{_doc(description_of(alias))}export type {name} = {literal_text(bare(alias))};\n"]
    parts += [_interface(struct) for struct in _structs()]
    parts += [_union("ClientMessage", messages.ClientMessage), _union("ServerMessage", messages.ServerMessage)]
    return "\n".join(parts)


def generate_api() -> str:
    """The types of the HTTP API. Those that the WebSocket has too are taken from there."""
    structs = [
        one for one in structs_of(ENDPOINTS) if one.__module__ not in _PROTOCOL or one is messages.CallPreferences
    ]
    body = "\n".join(map(_api_interface, structs))
    names = ["ClientState", *(kind.__name__ for kind in ENUMS), "PersonSummary"]
    used = ", ".join(name for name in sorted(names) if re.search(rf"\b{name}\b", body))
    return f'{_API_HEADER}\nimport type {{ {used} }} from "./messages.js";\n\n{body}'


def _api_interface(struct: type[msgspec.Struct]) -> str:
    lines = []
    for field in msgspec.structs.fields(struct):
        mark = "" if field.required or not _may_be_left_out(struct) else "?"
        comment = description_of(field.type)
        tail = f" // {comment}" if comment else ""
        lines.append(f"  {field.encode_name}{mark}: {type_text(field.type)};{tail}")
    body = "\n".join(lines)
    return f"{_doc(struct.__dict__.get('__doc__'))}export interface {struct.__name__} {{\n{body}\n}}\n"


def _may_be_left_out(struct: type[msgspec.Struct]) -> bool:
    """Whether the field may be left out: in a body if it has a default, in a response if the struct omits defaults."""
    return struct.__struct_config__.omit_defaults or struct in {endpoint.body for endpoint in ENDPOINTS}


def _structs() -> Iterator[type[msgspec.Struct]]:
    """The structs that messages contain, then each message once, in the order of the file."""
    parts = (messages.PartySummary, messages.CallSummary, messages.IceServer, messages.PersonSummary)
    yield from (*parts, messages.QualityReport)
    yield from dict.fromkeys(get_args(messages.ClientMessage) + get_args(messages.ServerMessage))


def _enum(choice: type[enum.Enum]) -> str:
    values = " | ".join(json.dumps(member.value) for member in choice)
    return f"{_doc(choice.__dict__.get('__doc__'))}export type {choice.__name__} = {values};\n"


def _interface(struct: type[msgspec.Struct]) -> str:
    tag = struct.__struct_config__.tag
    lines = [f"  type: {json.dumps(tag)};"] if tag else []
    for field in msgspec.structs.fields(struct):
        mark = "" if field.required else "?"
        comment = description_of(field.type)
        tail = f" // {comment}" if comment else ""
        lines.append(f"  {field.encode_name}{mark}: {_type(field.type)};{tail}")
    body = "\n".join(lines)
    doc = _doc(struct.__dict__.get("__doc__"))
    return f"{doc}export interface {struct.__name__} {{\n{body}\n}}\n"


def _union(name: str, union: object) -> str:
    members = "\n".join(f"  | {member.__name__}" for member in get_args(union))
    return f"export type {name} =\n{members};\n"


def _type(annotation: object) -> str:
    """A TypeScript type. `X | None` is X: in a message what is None is left out of the JSON."""
    for name in _ALIASES:
        if bare(annotation) == bare(getattr(messages, name)):
            return name
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (types.UnionType, Union):
        return " | ".join(_type(part) for part in parts if part is not type(None))
    if origin is Annotated:
        return _type(parts[0])
    if origin in (list, tuple):
        return f"{_type(parts[0])}[]"
    return type_text(annotation)


def _doc(text: str | None) -> str:
    if not text:
        return ""
    lines = inspect.cleandoc(text).splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def outputs() -> dict[Path, bytes]:
    """What is committed of it."""
    return {TARGET: generate().encode(), API_TARGET: generate_api().encode()}
