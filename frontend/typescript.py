"""Makes `messages.ts` of the client SDK out of `frontend/messages.py`: run `python -m frontend.typescript`.

The Python structs are the one source of the WebSocket protocol. Comments and
docstrings go along, so the page's author reads them where they are needed.
"""

import ast
import enum
import inspect
import json
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ari_bridge.calls.causes import Outcome
from ari_bridge.calls.state import Direction
from frontend import messages
from frontend.comments import comment_of, field_comments

TARGET = Path(__file__).parent / "web" / "packages" / "sip-proxy-client" / "src" / "messages.ts"

_HEADER = "// Generated from frontend/messages.py by `python -m frontend.typescript`. Do not edit.\n"
_SCALARS: dict[object, str] = {str: "string", int: "number", float: "number", bool: "boolean"}
_ENUMS: tuple[type[enum.Enum], ...] = (Direction, Outcome)
_ALIASES = ("ClientState", "PartyState", "RecordingState", "PersonState", "QualityWarning")


def generate() -> str:
    """The whole TypeScript file, ending in a newline."""
    source = inspect.getsource(messages)
    comments = field_comments(source)
    parts = [_HEADER]
    parts += [_enum(choice) for choice in _ENUMS]
    for name in _ALIASES:
        parts += [_doc(_alias_doc(source, name)) + f"export type {name} = {_literal(getattr(messages, name))};\n"]
    parts += [_interface(struct, comments) for struct in _structs()]
    parts += [_union("ClientMessage", messages.ClientMessage), _union("ServerMessage", messages.ServerMessage)]
    return "\n".join(parts)


def _structs() -> Iterator[type[msgspec.Struct]]:
    """Every message, in the order of the file; one that goes both ways is told once; first what they are made of."""
    parts = (messages.PartySummary, messages.CallSummary, messages.IceServer, messages.PersonSummary)
    yield from (*parts, messages.QualityReport)
    yield from dict.fromkeys(typing.get_args(messages.ClientMessage) + typing.get_args(messages.ServerMessage))


def _enum(choice: type[enum.Enum]) -> str:
    values = " | ".join(json.dumps(member.value) for member in choice)
    return f"{_doc(choice.__dict__.get('__doc__'))}export type {choice.__name__} = {values};\n"


def _interface(struct: type[msgspec.Struct], comments: dict[tuple[str, str], str]) -> str:
    tag = struct.__struct_config__.tag
    lines = [f"  type: {json.dumps(tag)};"] if tag else []
    for field in msgspec.structs.fields(struct):
        mark = "" if field.required else "?"
        comment = comment_of(struct, field.name, comments)
        tail = f" // {comment}" if comment else ""
        lines.append(f"  {field.encode_name}{mark}: {_type(field.type)};{tail}")
    body = "\n".join(lines)
    doc = _doc(struct.__dict__.get("__doc__"))
    return f"{doc}export interface {struct.__name__} {{\n{body}\n}}\n"


def _union(name: str, union: object) -> str:
    members = "\n".join(f"  | {member.__name__}" for member in typing.get_args(union))
    return f"export type {name} =\n{members};\n"


def _type(annotation: object) -> str:
    """A TypeScript type. `X | None` is X: what is None is left out of the JSON."""
    for name in _ALIASES:
        if annotation == getattr(messages, name):
            return name
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return annotation.__name__
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation.__name__
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _type(typing.get_args(annotation)[0])
    if origin in (list, tuple):
        return f"{_type(typing.get_args(annotation)[0])}[]"
    if origin is typing.Literal:
        return _literal(annotation)
    if origin in (types.UnionType, typing.Union):
        return " | ".join(_type(part) for part in typing.get_args(annotation) if part is not type(None))
    raise TypeError(f"no TypeScript type is known for {annotation!r}")


def _literal(annotation: object) -> str:
    return " | ".join(json.dumps(value) for value in typing.get_args(annotation))


def _doc(text: str | None) -> str:
    if not text:
        return ""
    lines = inspect.cleandoc(text).splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def _alias_doc(source: str, name: str) -> str | None:
    """The string that stands below the alias `name`."""
    body = ast.parse(source).body
    for alias, after in zip(body, body[1:], strict=False):
        if isinstance(alias, ast.Assign) and getattr(alias.targets[0], "id", None) == name:
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                return str(after.value.value)
    return None


def main() -> int:
    """Writes the file; with `--check` only says by its status whether it is current."""
    text = generate()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.exists() and TARGET.read_text() == text else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
