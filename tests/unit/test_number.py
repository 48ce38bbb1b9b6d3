"""What people write and paste, read as a number: the same examples as the client package's `number.test.ts` reads."""

import json
import sys
import unicodedata
from pathlib import Path

import pytest

from ari_bridge.errors import InvalidTarget
from ari_bridge.number import normalize_number

EXAMPLES = json.loads((Path(__file__).parents[1] / "numbers.json").read_text())


@pytest.mark.parametrize("example", EXAMPLES["dialled"], ids=lambda one: ascii(one["written"]))
def test_what_a_person_reads_as_a_number_is_dialled(example: dict[str, str]) -> None:
    assert normalize_number(example["written"]) == example["number"]


@pytest.mark.parametrize("number", sorted({example["number"] for example in EXAMPLES["dialled"]}))
def test_a_number_stays_as_it_is(number: str) -> None:
    assert normalize_number(number) == number


@pytest.mark.parametrize("example", EXAMPLES["refused"], ids=lambda one: ascii(one["written"][:40]))
def test_what_is_no_number_is_refused_with_the_reason(example: dict[str, str]) -> None:
    with pytest.raises(InvalidTarget) as error:
        normalize_number(example["written"])
    assert (str(error.value), error.value.field) == (example["message"], "target")


def test_the_digits_of_every_script_are_digits() -> None:
    digits = [c for c in map(chr, range(sys.maxunicode)) if unicodedata.category(c) == "Nd"]
    assert len(digits) > 600
    for digit in digits:
        assert normalize_number(f"0{digit}") == f"0{unicodedata.decimal(digit)}"


@pytest.mark.parametrize(
    "longest", ["1 " * 499, "1" + " " * 998, "<" * 1000, "tel:" + ";" * 990, "1x" * 500, "(0)" * 333]
)
def test_nobody_waits_for_what_is_no_number(longest: str) -> None:
    """Each of them would take minutes with an expression that tries everything."""
    with pytest.raises(InvalidTarget):
        normalize_number("&" + longest[:999])
