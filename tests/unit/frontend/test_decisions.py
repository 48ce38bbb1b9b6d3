"""Every operation and every message has its line in the table of who may do what, and the code says the same."""

import msgspec
import pytest

from ari_bridge_protocol import client_messages, shared_messages
from ari_bridge_protocol.message import Message
from frontend.api.routes import ENDPOINTS
from tests.security.decisions import MESSAGES, OPERATIONS

HINT = "decide in tests/security/decisions.py who may use it"


def message_types() -> set[str]:
    found = set()
    for module in (client_messages, shared_messages):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, (Message, msgspec.Struct)):
                tag = msgspec.inspect.type_info(value).tag  # type: ignore[attr-defined]
                if tag and value.__module__ == module.__name__:
                    found.add(str(tag))
    return found


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=[endpoint.name for endpoint in ENDPOINTS])
def test_every_operation_has_a_decision(endpoint: object) -> None:
    name = endpoint.name  # type: ignore[attr-defined]
    assert name in OPERATIONS, HINT
    assert OPERATIONS[name].public is endpoint.public  # type: ignore[attr-defined]
    if grant := endpoint.grant:  # type: ignore[attr-defined]
        assert OPERATIONS[name].grant is grant


def test_every_message_has_a_decision() -> None:
    assert message_types() == set(MESSAGES), HINT


def test_no_decision_is_about_something_that_is_gone() -> None:
    assert set(OPERATIONS) == {endpoint.name for endpoint in ENDPOINTS}
