"""The OpenAPI 3.1 document, made of the endpoints. `python -m frontend.codegen` writes it and the reference.

`docs/openapi.json` and `docs/HTTP.md` are what a running server serves at `/openapi.json` and shows at `/docs`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from frontend.api.openapi.schema import description_of, structs_of
from frontend.api.routes import ENDPOINTS, TAGS
from frontend.http.endpoint import JSON, Endpoint, ResponseSpec
from frontend.http.parameters import Parameter, text_format_schema
from frontend.http.problems import MEDIA_TYPE, PROBLEM_TYPES, problem

API_VERSION = "1.0.0"
"""Of the API, not of the program: the major version changes if clients must change."""

_DESCRIPTION = """\
Place calls into the PBX from programs, control them, and see how they ended. All names are in camelCase, all times
are Unix seconds. Errors are problem details (RFC 9457), identified by `code`. New fields may be added: ignore those
that you do not know."""
_REQUEST_ID = {
    "description": "Identifies the request in the server's log; the request's own id if it sent a valid one.",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {"description": "Retry after this many seconds.", "schema": {"type": "string"}}


def document() -> dict[str, Any]:
    """JSON-ready. All endpoints, with their examples and problems."""
    wanted = [*structs_of(ENDPOINTS), *(one.type for endpoint in ENDPOINTS for one in endpoint.parameter_specs)]
    schemas, components = msgspec.json.schema_components(
        [one for one in wanted if not text_format_schema(one)], ref_template="#/components/schemas/{name}"
    )
    by_type = dict(zip((repr(one) for one in wanted if not text_format_schema(one)), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_type)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "ari-bridge", "version": API_VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "."}],  # where this document is: below any path
        "tags": [{"name": tag} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": components,
            "examples": {
                code: {"summary": kind.title, "value": _example(code)} for code, kind in PROBLEM_TYPES.items()
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The token from `POST /session`. Not needed if sign-in is off.",
                }
            },
        },
    }


def encoded() -> bytes:
    """The document as it is served and committed."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2) + b"\n"


def _operation(endpoint: Endpoint[Any, Any], by_type: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "security": [] if endpoint.public else [{"bearer": []}],
    }
    if endpoint.description:
        spec["description"] = endpoint.description
    if endpoint.parameter_specs:
        spec["parameters"] = [_parameter(endpoint, one, by_type) for one in endpoint.parameter_specs]
    if endpoint.has_body:
        content: dict[str, Any] = {"schema": by_type[repr(endpoint.body)]}
        if endpoint.example_body is not None:
            content["example"] = as_sent(endpoint.example_body)
        spec["requestBody"] = {"required": not endpoint.body_optional, "content": {JSON: content}}
    responses = {str(status): _answer(answer, by_type) for status, answer in endpoint.responses.items()}
    for status, problems in _problems(endpoint).items():
        if status in responses:
            responses[status]["content"] |= problems["content"]
        else:
            responses[status] = problems
    spec["responses"] = dict(sorted(responses.items()))
    return spec


def as_sent(value: msgspec.Struct) -> Any:
    """An example as JSON-ready data."""
    return msgspec.to_builtins(value)


def _parameter(endpoint: Endpoint[Any, Any], one: Parameter, by_type: Mapping[str, Any]) -> dict[str, Any]:
    written = text_format_schema(one.type)
    schema = dict(written or by_type[repr(one.type)])
    spec: dict[str, Any] = {"name": one.name, "in": one.place, "required": one.required}
    inner = schema.pop("description", "").rstrip(".")
    how = inner if written else ""
    if description := ". ".join(filter(None, [description_of(one.type), how])):
        spec["description"] = description
    if one.default is not None:
        schema["default"] = msgspec.to_builtins(one.default)
    if one.name in endpoint.example:
        spec["example"] = _as_typed(endpoint.example[one.name], schema)
    return spec | {"schema": schema}


def _as_typed(text: str, schema: Mapping[str, Any]) -> Any:
    return msgspec.json.decode(text) if schema.get("type") in ("integer", "number", "boolean") else text


def _answer(answer: ResponseSpec, by_type: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name: {"description": said, "schema": {"type": "string"}} for name, said in answer.headers.items()}
    spec: dict[str, Any] = {"description": answer.description, "headers": headers | {"X-Request-Id": _REQUEST_ID}}
    if not answer.has_body:
        return spec
    if answer.media == JSON:
        content: dict[str, Any] = {"schema": by_type.get(repr(answer.shape), {"type": "object"})}
    else:
        content = {"schema": {"type": "string"}}
    if answer.example is not None:
        content["example"] = answer.example if isinstance(answer.example, str) else as_sent(answer.example)
    return spec | {"content": {answer.media: content}}


def _problems(endpoint: Endpoint[Any, Any]) -> dict[str, dict[str, Any]]:
    """By status; several problem codes may share one status."""
    spec: dict[str, dict[str, Any]] = {}
    for code in endpoint.all_problems:
        kind = PROBLEM_TYPES[code]
        response = spec.setdefault(
            str(kind.status),
            {
                "description": "",
                "headers": {"X-Request-Id": _REQUEST_ID},
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        response["description"] = " ".join(filter(None, [response["description"], f"`{code}`: {kind.title}."]))
        response["content"][MEDIA_TYPE]["examples"][code] = {"$ref": f"#/components/examples/{code}"}
        if kind.status in (429, 503):
            response["headers"] = {**response["headers"], "Retry-After": _RETRY_AFTER}
    if any(one.place == "query" for one in endpoint.parameter_specs):  # before any endpoint is known: `http/server.py`
        spec["431"] = {
            "description": "`too_large`: the address, or a header.",
            "headers": {"X-Request-Id": _REQUEST_ID},
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return spec


def _example(code: str) -> Any:
    return as_sent(problem(code, PROBLEM_TYPES[code].hint, request_id="9f2a4c1e7b3d5608"))
