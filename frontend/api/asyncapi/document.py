"""The AsyncAPI 3.0 document, which `python -m frontend.codegen` writes to `docs/` and `/asyncapi.json` serves."""

import inspect
from typing import Any

import msgspec

from frontend.api.asyncapi.event_data import EVENT_DATA, NOTICES
from frontend.api.event_outlets import EVENT_VERSION
from frontend.api.routes.event_stream import STREAM, EventData

DOCUMENT_VERSION = f"{EVENT_VERSION}.0.0"
SCHEMAS = "#/components/schemas/"


def document() -> dict[str, Any]:
    """JSON-ready. Every event, with the form of its data."""
    told = {event.name: (data, inspect.getdoc(event) or "") for event, data in EVENT_DATA.items()} | NOTICES
    structs = list(dict.fromkeys([EventData, *(data for data, _ in told.values())]))
    schemas, components = msgspec.json.schema_components(structs, ref_template=SCHEMAS + "{name}")
    by_struct = dict(zip(structs, schemas, strict=True))
    messages = {name: _message(name, by_struct[data], said) for name, (data, said) in told.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "ari-bridge events", "version": DOCUMENT_VERSION, "description": STREAM.description},
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": STREAM.path,
                "title": STREAM.summary,
                "description": "Server-sent events (`data` is the message), or a WebSocket (each text frame is one).",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"http": {}, "ws": {"method": STREAM.method}},
            }
        },
        "operations": {
            STREAM.name: {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": STREAM.summary,
                "bindings": {"http": {"method": STREAM.method}},
            }
        },
        "components": {"messages": messages, "schemas": components},
    }


def encoded() -> bytes:
    """The document as it is served and committed."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2) + b"\n"


def _message(name: str, data: dict[str, Any], said: str) -> dict[str, Any]:
    specific = {"properties": {"name": {"const": name}, "data": data}}
    summary, _, description = said.partition("\n\n")
    message = {
        "name": name,
        "summary": " ".join(summary.split()),
        "payload": {"allOf": [{"$ref": f"{SCHEMAS}{EventData.__name__}"}, specific]},
    }
    return message | ({"description": description} if description else {})
