"""The reference of the HTTP API as Markdown, made of the endpoints: `docs/HTTP.md`, and the page at `/docs`."""

import json
from http import HTTPStatus
from typing import Any

import msgspec

from frontend.api.openapi.document import as_sent
from frontend.api.openapi.schema import description_of, enums_of, structs_of
from frontend.api.openapi.type_text import type_text
from frontend.api.routes import ENDPOINTS, TAGS
from frontend.http.endpoint import JSON, Endpoint, ResponseSpec
from frontend.http.parameters import text_format_schema
from frontend.http.problems import PROBLEM_TYPES

_INTRO = """\
# HTTP API

Generated from the program's types by `python -m frontend.codegen`: do not edit. A running server shows this reference
at `/docs`, and serves it as OpenAPI 3.1 at `/openapi.json`. [API.md](API.md) explains signing in, the WebSocket, states
and outcomes.

Bodies are JSON in UTF-8, at most 1 MiB. All times are Unix seconds. New fields may be added: ignore those that you do
not know. Every response has the header `X-Request-Id`, which identifies the request in the server's log.

A call by hand:

```sh
curl -s localhost:3000/invite -H 'Content-Type: application/json' \\
     -d "$(jq -n --rawfile sdp offer.sdp '{target: "600", $sdp}')"
```
"""
_PROBLEMS = """\
## Problems

Errors are problem details (RFC 9457), `application/problem+json`. `code` identifies the problem; `detail` is for
developers. 429 and 503 have the header `Retry-After`. Any route may respond with `forbidden` (a page of a foreign
origin), `invalid_request` (an unknown parameter) and `error`; any path with `not_found` and `method_not_allowed`.
"""


def markdown() -> str:
    """The whole reference, ending in a newline."""
    parts = [_INTRO, _contents()]
    for tag in TAGS:
        parts.append(f"## {tag}\n")
        parts += [_operation(endpoint) for endpoint in ENDPOINTS if endpoint.tag == tag]
    parts += [_PROBLEMS, *map(_problem, PROBLEM_TYPES), "## Types\n", *map(_struct, structs_of(ENDPOINTS)), _values()]
    return "\n".join(parts)


def _contents() -> str:
    lines = ["| route | what it does |", "|---|---|"]
    for endpoint in ENDPOINTS:
        title = f"{endpoint.method} {endpoint.path}"
        lines.append(f"| [`{title}`](#{anchor(title)}) | {endpoint.summary} |")
    return "\n".join(lines) + "\n"


def anchor(heading: str) -> str:
    """The fragment of a heading, as GitHub makes it."""
    kept = "".join(char for char in heading.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")


def _operation(endpoint: Endpoint[Any, Any]) -> str:
    parts = [f"### {endpoint.method} {endpoint.path}\n", f"{endpoint.summary}.\n"]
    if endpoint.description:
        parts.append(f"{endpoint.description}\n")
    if endpoint.parameter_specs:
        rows = ["| parameter | in | type | meaning |", "|---|---|---|---|"]
        for one in endpoint.parameter_specs:
            written = text_format_schema(one.type) or {}
            kind = "string" if written else type_text(one.type)
            said = [description_of(one.type), written.get("description", "").rstrip(".")]
            must = "" if one.required else _default(one.default)
            words = ". ".join(filter(None, [*said, must]))
            rows.append(f"| `{one.name}` | {one.place} | {_cell(kind)} | {words} |")
        parts.append("\n".join(rows) + "\n")
    if endpoint.has_body:
        name = endpoint.body.__name__
        optional = " Optional." if endpoint.body_optional else ""
        parts.append(f"Body: [{name}](#{anchor(name)}).{optional}\n")
    parts.append(_example(endpoint))
    others = [f"- {status}: {answer.description}{_shape(answer)}." for status, answer in endpoint.responses.items()]
    parts.append("\n".join(others) + "\n")
    codes = [f"[`{code}`](#problem-{code}) ({PROBLEM_TYPES[code].status})" for code in endpoint.all_problems]
    parts.append(f"Problems: {', '.join(codes)}.\n")
    return "\n".join(parts)


def _default(value: Any) -> str:
    return "" if value is None else f"Default: `{msgspec.to_builtins(value)}`"


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _shape(answer: ResponseSpec) -> str:
    if answer.media != JSON:
        return f", `{answer.media}`"
    name = getattr(answer.shape, "__name__", "")
    return f": [{name}](#{anchor(name)})" if name and hasattr(answer.shape, "__struct_fields__") else ""


def _example(endpoint: Endpoint[Any, Any]) -> str:
    path, query = endpoint.path, []
    headers = [] if endpoint.public else ["Authorization: Bearer TOKEN"]
    for one in endpoint.parameter_specs:
        if (value := endpoint.example.get(one.name)) is None:
            continue
        match one.place:
            case "path":
                path = path.replace(f"{{{one.name}}}", value)
            case "query":
                query.append(f"{one.name}={value}")
            case "header":
                headers.append(f"{one.name}: {value}")
    if endpoint.example_body is not None:
        headers.append("Content-Type: application/json")
    lines = [f"{endpoint.method} {path}{'?' + '&'.join(query) if query else ''}", *headers]
    if endpoint.example_body is not None:
        lines += ["", _json(_asked(endpoint.example_body))]
    status, answer = next(iter(endpoint.responses.items()))
    if "Range" in endpoint.example:
        status, answer = 206, endpoint.responses[206]
    lines += ["", f"{status} {HTTPStatus(status).phrase}"]
    if answer.has_body and answer.media != JSON:
        lines.append(f"Content-Type: {answer.media}")
    if answer.example is not None:
        text = answer.example if isinstance(answer.example, str) else _json(as_sent(answer.example))
        lines += ["", text.replace("\r\n", "\n").rstrip("\n")]
    return "```http\n" + "\n".join(lines) + "\n```\n"


def _asked(body: msgspec.Struct) -> Any:
    """Without what is as at the beginning."""
    defaults = {one.encode_name: one.default for one in msgspec.structs.fields(body) if not one.required}
    sent: dict[str, Any] = as_sent(body)
    return {name: value for name, value in sent.items() if name not in defaults or value != defaults[name]} or sent


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def _problem(code: str) -> str:
    kind = PROBLEM_TYPES[code]
    return f"### Problem {code}\n\n{kind.status}. {kind.title}. {kind.hint}\n"


def _struct(struct: type[msgspec.Struct]) -> str:
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        mark = "" if field.required else "?"
        said = description_of(field.type) or ""
        rows.append(f"| `{field.encode_name}{mark}` | {_cell(type_text(field.type))} | {said} |")
    doc = " ".join((struct.__dict__.get("__doc__") or "").split())
    if doc.startswith(struct.__name__ + "("):
        doc = ""
    return f"### {struct.__name__}\n\n" + (f"{doc}\n\n" if doc else "") + "\n".join(rows) + "\n"


def _values() -> str:
    """The words of those types that have few."""
    rows = ["### Values\n", "| type | one of |", "|---|---|"]
    for kind in enums_of(structs_of(ENDPOINTS)):
        rows.append(f"| `{kind.__name__}` | {', '.join(f'`{one.value}`' for one in kind)} |")
    return "\n".join(rows) + "\n"
