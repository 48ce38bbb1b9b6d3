"""CSV that every reader understands, and no spreadsheet runs."""

import csv
import io

import pytest
from msgspec.structs import replace

from ari_bridge.cdr import Cdr, export
from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome

RECORD = Cdr(
    call_id="call1",
    direction=Direction.INBOUND,
    caller="0301234",
    caller_name="Müller",
    target="100",
    user="alice",
    tenant="",
    created_at=1764000000.25,
    ringing_at=None,
    answered_at=1764000002.0,
    ended_at=1764000012.5,
    talk_seconds=10.5,
    outcome=Outcome.COMPLETED,
    q850=16,
    sip=200,
    cause="Normal",
)


def read(text: str) -> dict[str, str]:
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    return row


def test_a_row_is_read_back() -> None:
    row = read(export.header() + export.lines([replace(RECORD, recording=("a", "b"), quality={"mos": 4.1})]))
    assert row["callId"] == "call1" and row["callerName"] == "Müller" and row["outcome"] == "completed"
    assert row["createdAt"] == "2025-11-24T16:00:00.250Z" and row["ringingAt"] == "" and row["talkSeconds"] == "10.500"
    assert row["recording"] == '["a","b"]' and row["quality"] == '{"mos":4.1}' and row["parties"] == ""


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ('=HYPERLINK("http://evil")', '\'=HYPERLINK("http://evil")'),
        ("+49301234", "'+49301234"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\r\n=1", "'\r\n=1"),
        ("A=1", "A=1"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(name: str, cell: str) -> None:
    assert read(export.header() + export.lines([replace(RECORD, caller_name=name)]))["callerName"] == cell


def test_commas_quotes_and_line_breaks_are_quoted_as_rfc_4180_says() -> None:
    text = export.lines([replace(RECORD, caller_name='a,"b"\nc')])
    assert '"a,""b""\nc"' in text
    assert text.endswith("\r\n") and text.count("\r\n") == 1
    assert read(export.header() + text)["callerName"] == 'a,"b"\nc'
