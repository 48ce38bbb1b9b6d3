"""The OpenAPI document and the reference: current, complete, with examples that are real."""

import json
import re
from typing import Any

import jsonschema_rs
import msgspec
import msgspec.inspect
import pytest

from ari_bridge_protocol import messages
from frontend.api.openapi.document import document
from frontend.api.openapi.html import page
from frontend.api.routes import OPERATIONS
from frontend.api.routes.call_endpoints import DtmfBody, FeedbackBody, HoldBody, PartyBody, RecordBody, TransferBody
from frontend.codegen.__main__ import outputs
from frontend.http.endpoint import JSON, Endpoint
from frontend.http.examples import ANSWER, OFFER
from frontend.http.problems import KINDS, MEDIA_TYPE

DOCUMENT = document()
EXAMPLES = [
    (f"{operation.name} {status}", content)
    for operation in OPERATIONS
    for status, response in DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"].items()
    if (content := response.get("content", {}).get(JSON)) and "example" in content
] + [
    (operation.name, DOCUMENT["paths"][operation.path][operation.method.lower()]["requestBody"]["content"][JSON])
    for operation in OPERATIONS
    if operation.has_body
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
    names = [operation.name for operation in OPERATIONS]
    routes = [(operation.method, operation.path) for operation in OPERATIONS]
    assert len(set(names)) == len(names) and len(set(routes)) == len(routes)


@pytest.mark.parametrize(("name", "content"), EXAMPLES)
def test_every_example_is_as_its_schema_says(name: str, content: dict[str, Any]) -> None:
    assert fault_in(content["schema"], content["example"]) is None


@pytest.mark.parametrize("code", KINDS)
def test_every_problem_is_as_its_schema_says(code: str) -> None:
    example = DOCUMENT["components"]["examples"][code]["value"]
    assert fault_in({"$ref": "#/components/schemas/Problem"}, example) is None
    assert example["status"] == KINDS[code].status
    assert f'id="problem-{code}"' in page(), "`type` leads nowhere"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.name))
def test_an_operation_is_told_as_a_whole(operation: Endpoint[Any, Any]) -> None:
    told = DOCUMENT["paths"][operation.path][operation.method.lower()]
    assert set(re.findall(r"{(\w+)}", operation.path)) == {one.name for one in operation.reads if one.place == "path"}
    assert {one.name for one in operation.reads if one.place == "path"} <= operation.example.keys()
    assert set(operation.example) <= {one.name for one in operation.reads}
    assert set(operation.problems) <= KINDS.keys()
    assert (operation.example_body is not None) is operation.has_body
    for code in operation.all_problems:
        content = told["responses"][str(KINDS[code].status)]["content"][MEDIA_TYPE]
        assert code in content["examples"]
        if KINDS[code].status in (429, 503):
            assert "Retry-After" in told["responses"][str(KINDS[code].status)]["headers"]


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
