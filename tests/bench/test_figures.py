"""The benchmark's arithmetic, and which marks it calls met."""

import pytest

from tests.bench.figures import Figures, ratio
from tests.bench.report import ROWS, Row, met, table


def test_figures_of_one_to_hundred() -> None:
    assert Figures.of(range(100, 0, -1)) == Figures(count=100, least=1, median=50.5, p95=95)


@pytest.mark.parametrize("values, p95", [([7], 7), ([1, 2, 3], 3), (range(1, 21), 19), (range(1, 22), 20)])
def test_p95_is_a_value_that_was_measured(values: list[float], p95: float) -> None:
    figures = Figures.of(values)
    assert figures and figures.p95 == p95


def test_nothing_measured_is_no_figure_and_no_ratio() -> None:
    assert Figures.of([]) is None
    assert ratio(Figures.of([1]), None) is None
    assert ratio(Figures.of([3]), Figures.of([2])) == 1.5


@pytest.mark.parametrize(
    "ours, woken, plain, verdict",
    [
        (14, 10, 200, True),
        (16, 10, 200, False),  # within 20, but 1.6 times the quicker script
        (16, None, 200, True),
        (21, 100, 100, False),
        (None, 10, 10, None),
    ],
)
def test_a_mark_has_a_limit_and_a_ratio(
    ours: float | None, woken: float | None, plain: float | None, verdict: bool | None
) -> None:
    row = Row("invite", "", "", most=20, times=1.5)
    first, *scripts = (Figures.of([value]) if value is not None else None for value in (ours, woken, plain))
    assert met(row, first, scripts) is verdict


def test_a_row_without_a_mark_has_no_verdict() -> None:
    assert met(Row("answer", "", ""), Figures.of([1]), []) is None


def test_the_table_stands_without_any_figure() -> None:
    assert table({"ours": {}, "script + wakes": {}, "script": {}}).row_count == len(ROWS)
