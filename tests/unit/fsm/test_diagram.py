"""The diagram in the design document is the one that the table gives."""

from pathlib import Path

from tests import state_diagram

DESIGN = Path(__file__).parents[3] / "docs" / "design.md"


def test_the_design_document_shows_the_table_as_it_is() -> None:
    document = DESIGN.read_text()
    assert state_diagram.place(document) == document, "run `make diagram`"


def test_a_document_without_marks_is_refused() -> None:
    try:
        state_diagram.place("nothing")
    except ValueError as error:
        assert "marks" in str(error)
    else:
        raise AssertionError("no error")
