"""Cursors, and what may stand in the URL of a question."""

from collections.abc import Iterable

import pytest
from multidict import MultiDict

from ari_bridge.cdr import Match, Query
from ari_bridge.cursor import Cursor
from ari_bridge.errors import InvalidRequest
from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome
from frontend.api.routes.cdrs import CdrQuery, query_of
from frontend.auth.principal import Principal
from frontend.http.parameters import parameters_of, read_parameters

ANYBODY = Principal(None, unrestricted=True)


@pytest.mark.parametrize("cursor", [Cursor(1764000000.123456, "01kabc"), Cursor(0.1 + 0.2, "a"), Cursor(1.0, "x.y_z")])
def test_a_cursor_comes_back_as_it_was(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "x", "====", "ü", "WzFd", "bnVsbA", "WyJhIiwiYiJd", str(Cursor(1.0, "a")) + "AAAA"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Cursor.parse(text)
    assert caught.value.field == "cursor"


def test_a_cursor_that_a_database_would_choke_on_is_refused() -> None:
    for cursor in (Cursor(1.0, "a\0b"), Cursor(1.0, "a" * 129)):
        with pytest.raises(InvalidRequest):
            Cursor.parse(str(cursor))


def parse_query(given: Iterable[tuple[str, str]]) -> Query:
    known = parameters_of(CdrQuery, "/cdrs")
    headers: MultiDict[str] = MultiDict()
    return query_of(read_parameters(CdrQuery, known, path={}, query=MultiDict(given), headers=headers), ANYBODY)


def test_every_parameter_is_taken() -> None:
    cursor = Cursor(5.0, "call")
    query = parse_query(
        {
            "user": "alice",
            "direction": "inbound",
            "outcome": "no_answer",
            "number": "+49 30",
            "match": "prefix",
            "since": "1",
            "until": "2.5",
            "minSeconds": "3",
            "limit": "500",
            "cursor": str(cursor),
        }.items()
    )
    assert query == Query(
        "alice", Direction.INBOUND, Outcome.NO_ANSWER, "+49 30", Match.PREFIX, 1.0, 2.5, 3.0, cursor, 500
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("direction", "up", "one of outbound, inbound"),
        ("outcome", "", "one of completed"),
        ("match", "regex", "one of contains, prefix"),
        ("number", "", "1 to 64 printable"),
        ("number", "6" * 65, "1 to 64 printable"),
        ("number", "6\x000", "or NUL"),
        ("user", "\ud800", "none in UTF-8"),
        ("since", "yesterday", "Unix seconds"),
        ("since", "nan", "Unix seconds"),
        ("until", "inf", "Unix seconds"),
        ("minSeconds", "-1", "a number, 0 or more"),
        ("limit", "0", "1 to 500"),
        ("limit", "501", "1 to 500"),
        ("limit", "٣", "1 to 500"),
        ("limit", "9" * 30, "1 to 500"),
        ("limit", "ten", "1 to 500"),
        ("cursor", "!", "cursor must be the nextCursor"),
        ("caller", "600", "There is no parameter 'caller', but cursor, direction"),
    ],
)
def test_a_wrong_one_is_named_with_what_it_may_be(name: str, value: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told) as caught:
        parse_query([(name, value)])
    assert caught.value.field == name


def test_times_the_wrong_way_round_are_told() -> None:
    with pytest.raises(InvalidRequest, match="since must be before until"):
        parse_query([("since", "2"), ("until", "2")])
