"""What a fault did: one `Seen` for each run, and the table of all."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

BUSY = 0.02
"""Seconds of silence without a fault from which on the machine, and not the system, may be the reason."""


@dataclass
class Seen:
    """One run of a case. Silences and times in seconds; None: nobody listened, or it is no matter here."""

    calls: int
    kept: int  # or, where calls must end: ended as they should
    far_silence: float | None = None  # the longest that any far party heard
    browser_silence: float | None = None  # the longest that came out of the page
    phone_silence: float | None = None  # the longest that any headless phone heard
    noise: float | None = None  # the longest of these three before the fault: what the machine makes by itself
    control: float | None = None  # until calls could be commanded again
    left: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # what else should not be, in plain words
    told: dict[str, float] = field(default_factory=dict)  # further figures, by name
    notes: list[str] = field(default_factory=list)  # which line was silent, and when

    def worst(self) -> float:
        """The longest silence that anybody heard."""
        return max(self.far_silence or 0.0, self.browser_silence or 0.0, self.phone_silence or 0.0)


@dataclass(frozen=True)
class Mark:
    """What must be held, in seconds; None: no bound."""

    far: float | None = None
    browser: float | None = None
    control: float | None = None


@dataclass
class Row:
    """All runs of one case."""

    name: str
    what: str
    mark: Mark
    seen: list[Seen] = field(default_factory=list)

    def faults(self) -> list[str]:
        """What was not as promised, whatever the time that it took."""
        found = []
        for number, seen in enumerate(self.seen, start=1):
            if seen.kept < seen.calls:
                found.append(f"run {number}: {seen.kept} of {seen.calls} calls kept")
            found += [f"run {number}: left over: {line}" for line in seen.left]
            found += [f"run {number}: {line}" for line in seen.wrong]
        return found

    def late(self) -> list[str]:
        """Which times are above their mark."""
        bounds = (
            ("far side's silence", self.mark.far, [seen.far_silence for seen in self.seen]),
            ("browser's silence", self.mark.browser, [seen.browser_silence for seen in self.seen]),
            ("control", self.mark.control, [seen.control for seen in self.seen]),
        )
        noise = max((seen.noise or 0.0 for seen in self.seen), default=0.0)
        excuse = f" (the machine was busy: {noise * 1000:.0f} ms of silence before any fault)" if noise > BUSY else ""
        return [
            f"{name}: {max(known) * 1000:.0f} ms, not {bound * 1000:.0f}{excuse}"
            for name, bound, values in bounds
            if bound is not None and (known := [value for value in values if value is not None]) and max(known) > bound
        ]


HEAD = ("fault", "calls kept", "silence, far (ms)", "silence, browser (ms)", "control (ms)", "left over", "runs", "")


def cells(row: Row) -> tuple[str, ...]:
    """Kept of all calls, and median / worst of each time."""
    seen = row.seen
    return (
        row.what,
        f"{sum(each.kept for each in seen)}/{sum(each.calls for each in seen)}",
        _spread(each.far_silence for each in seen),
        _spread(each.browser_silence for each in seen),
        _spread(each.control for each in seen),
        str(sum(len(each.left) for each in seen)),
        str(len(seen)),
        "✗" if row.faults() else "slow" if row.late() else "✓",
    )


def _spread(values: Iterable[float | None]) -> str:
    known = [value * 1000 for value in values if value is not None]
    return f"{statistics.median(known):.0f} / {max(known):.0f}" if known else "-"


def table(rows: Sequence[Row]) -> str:
    """As Markdown, which a terminal shows well enough."""
    lines = [HEAD, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def save(rows: Sequence[Row], path: Path) -> None:
    """Every figure of every run, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
