"""The OpenAPI document and the reference: current, complete, with examples that are real."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import msgspec.inspect
import pytest

import frontend
from ari_bridge_protocol import messages
from frontend.api.openapi.document import document
from frontend.api.openapi.html import page
from frontend.api.routes import ENDPOINTS
from frontend.api.routes.call_endpoints import DtmfBody, FeedbackBody, HoldBody, PartyBody, RecordBody, TransferBody
from frontend.codegen.__main__ import outputs
from frontend.http.endpoint import JSON, Endpoint
from frontend.http.examples import ANSWER, OFFER
from frontend.http.problems import MEDIA_TYPE, PROBLEM_TYPES

DOCUMENT = document()
EXAMPLES = [
    (f"{endpoint.name} {status}", content)
    for endpoint in ENDPOINTS
    for status, response in DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]["responses"].items()
    if (content := response.get("content", {}).get(JSON)) and "example" in content
] + [
    (endpoint.name, DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]["requestBody"]["content"][JSON])
    for endpoint in ENDPOINTS
    if endpoint.has_body
]


def fault_in(schema: Any, value: Any) -> str | None:
    """None where the value is as the schema says."""
    whole = {"$schema": DOCUMENT["jsonSchemaDialect"], "allOf": [schema], "components": DOCUMENT["components"]}
    try:
        jsonschema_rs.validate(whole, value)
    except jsonschema_rs.ValidationError as error:
        return str(error)
    return None


def test_the_committed_files_are_current() -> None:
    for path, text in outputs().items():
        assert path.read_bytes() == text, "run `python -m frontend.codegen` and commit the result"


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [endpoint.name for endpoint in ENDPOINTS]
    routes = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
    assert len(set(names)) == len(names) and len(set(routes)) == len(routes)


@pytest.mark.parametrize(("name", "content"), EXAMPLES)
def test_every_example_is_as_its_schema_says(name: str, content: dict[str, Any]) -> None:
    assert fault_in(content["schema"], content["example"]) is None


@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_every_problem_is_as_its_schema_says(code: str) -> None:
    example = DOCUMENT["components"]["examples"][code]["value"]
    assert fault_in({"$ref": "#/components/schemas/Problem"}, example) is None
    assert example["status"] == PROBLEM_TYPES[code].status
    assert f'id="problem-{code}"' in page(), "`type` leads nowhere"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: str(endpoint.name))
def test_an_operation_is_told_as_a_whole(endpoint: Endpoint[Any, Any]) -> None:
    told = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    assert set(re.findall(r"{(\w+)}", endpoint.path)) == {
        one.name for one in endpoint.parameter_specs if one.place == "path"
    }
    assert {one.name for one in endpoint.parameter_specs if one.place == "path"} <= endpoint.example.keys()
    assert set(endpoint.example) <= {one.name for one in endpoint.parameter_specs}
    assert set(endpoint.problems) <= PROBLEM_TYPES.keys()
    assert (endpoint.example_body is not None) is endpoint.has_body
    for code in endpoint.all_problems:
        content = told["responses"][str(PROBLEM_TYPES[code].status)]["content"][MEDIA_TYPE]
        assert code in content["examples"]
        if PROBLEM_TYPES[code].status in (429, 503):
            assert "Retry-After" in told["responses"][str(PROBLEM_TYPES[code].status)]["headers"]


def undescribed(annotation: object) -> object:
    """The type and its constraints."""
    info = msgspec.inspect.type_info(annotation)
    return info.type if isinstance(info, msgspec.inspect.Metadata) else info


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (HoldBody, messages.Hold),
        (TransferBody, messages.Transfer),
        (PartyBody, messages.AddParty),
        (RecordBody, messages.Record),
        (DtmfBody, messages.Dtmf),
        (FeedbackBody, messages.Feedback),
    ],
)
def test_a_verb_takes_the_same_by_http_as_by_websocket(
    body: type[msgspec.Struct], message: type[msgspec.Struct]
) -> None:
    by_message = {one.name: one for one in msgspec.structs.fields(message)}
    for field in msgspec.structs.fields(body):
        other = by_message.pop(field.name)
        assert (field.encode_name, field.default) == (other.encode_name, other.default)
        assert (
            undescribed(field.type) == undescribed(other.type) or body is DtmfBody
        )  # its pattern stands in the schema only
    assert by_message.keys() <= {"call_id", "by"}


def test_the_example_offer_is_the_one_that_is_tested_with() -> None:
    assert OFFER.startswith("v=0\r\n") and ANSWER.startswith("v=0\r\n")
    assert "a=fingerprint:" in OFFER and OFFER.endswith("\r\n")


def test_the_page_has_no_script_and_no_dead_link() -> None:
    html = page()
    assert "<script" not in html and "javascript:" not in html
    for target in set(re.findall(r'href="#([^"]+)"', html)):
        assert f'id="{target}"' in html, target
    assert not re.findall(r'href="(?!#)[^"]*"', html), "a server has no other documents"


def test_the_document_is_json() -> None:
    assert json.loads(next(text for path, text in outputs().items() if path.suffix == ".json")) == json.loads(
        msgspec.json.encode(DOCUMENT)
    )


def test_every_route_that_a_text_of_the_server_names_is_there() -> None:
    known = {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
    sources = {path.name: path.read_text() for path in Path(frontend.__file__).parent.rglob("*.py")}
    named = {
        (file, route.replace("`", "").rstrip("."))
        for file, text in sources.items()
        for route in re.findall(r"\b(?:GET|POST|PUT|DELETE) `?/[\w{}/.-]+", text)
    }
    assert len(named) > 10
    assert {(file, route) for file, route in named if route not in known} == set()
