"""What many measured values come to. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """Of the values that were measured, in their unit; `p95` by nearest rank."""

    count: int
    least: float
    median: float
    p95: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figures | None":
        """None where nothing was measured."""
        if not values:
            return None
        ordered = sorted(values)
        rank = math.ceil(0.95 * len(ordered))
        return cls(len(ordered), ordered[0], statistics.median(ordered), ordered[rank - 1])


def ratio(ours: Figures | None, theirs: Figures | None) -> float | None:
    """How many times as long ours takes, by the medians."""
    return ours.median / theirs.median if ours and theirs and theirs.median else None
