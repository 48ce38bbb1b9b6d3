"""The figures as one table, with the first marks and where each number comes from. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from tests.bench.figures import Figures, ratio
from tests.bench.memory import Memory
from tests.bench.setup import ANSWER, BRIDGED, CPU, CPU_BUSY, HEARD, INVITE

OURS, WOKEN, BARE = "ours", "script + wakes", "script"
KIB = 1024


@dataclass(frozen=True)
class Row:
    """`most`: milliseconds, the first mark; `times`: how many times the quicker script's. None where there is none."""

    phase: str
    title: str
    source: str
    most: float | None = None
    times: float | None = None


ROWS = (
    Row(
        INVITE,
        "click → INVITE",
        "from the client's clock as it sends its offer to the kernel's time of arrival of the INVITE at the far "
        "phone's UDP socket",
        20,
        1.5,
    ),
    Row(ANSWER, "click → answer at the client", "from the same click to the client's clock as the SDP answer comes"),
    Row(
        BRIDGED,
        "click → both legs bridged",
        "from the same click to the second ChannelEnteredBridge, as an ARI application of an onlooker hears it",
        25,
    ),
    Row(
        HEARD,
        "far answer → far hears",
        "from the far phone's clock as it sends its 200 OK to the kernel's time of arrival of the first RTP packet "
        "with the browser's tone at its socket; the browser sends a packet every 20 ms, the far phone sends none",
        25,
    ),
    Row(
        CPU,
        "CPU of a call, one at a time",
        "all threads of the server's process, /proc/PID/task/*/schedstat before the click and after the release",
        5,
    ),
    Row(
        CPU_BUSY,
        "CPU of a call, ten at once",
        "the same over batches of calls, ten at a time, whose pages have no media; each value is a batch's mean",
        5,
    ),
)

Measured = Mapping[str, Mapping[str, Sequence[float]]]
"""Server → phase → milliseconds."""


def table(measured: Measured, *, markdown: bool = False) -> Table:
    """Milliseconds: `median / p95` of each server, how many times the scripts' medians ours is, the mark."""
    result = Table(box=box.MARKDOWN if markdown else box.SIMPLE_HEAD, pad_edge=False)
    result.add_column("ms: median / p95 (least)", no_wrap=True)
    for name in (OURS, WOKEN, "×", BARE, "×", "first mark", ""):
        result.add_column(name, justify="right", no_wrap=True)
    for row in ROWS:
        ours, woken, bare = (Figures.of(measured[name].get(row.phase, ())) for name in (OURS, WOKEN, BARE))
        cells = [_cell(ours), _cell(woken), _times(ratio(ours, woken)), _cell(bare), _times(ratio(ours, bare))]
        result.add_row(row.title, *cells, _mark(row), _verdict(row, ours, woken, bare))
    return result


def sources() -> list[str]:
    return [f"{row.title}: {row.source}." for row in ROWS]


def memory_lines(memory: Memory) -> list[str]:
    """The front end's own memory (USS)."""
    return [
        f"a held call: {memory.of_call / KIB:.0f} KiB, and its page's WebSocket {memory.of_page / KIB:.0f} KiB "
        f"({memory.calls} calls at once on the fakes)",
        f"the whole process: {_mib(memory.idle)} idle, {_mib(memory.held)} with the calls, "
        f"{_mib(memory.ended)} after their end",
    ]


def met(row: Row, ours: Figures | None, scripts: Sequence[Figures | None]) -> bool | None:
    """Whether the medians meet the row's mark; None where there is no mark, or nothing was measured."""
    if row.most is None or ours is None:
        return None
    if ours.median > row.most:
        return False
    quicker = min((script.median for script in scripts if script), default=None)
    return row.times is None or quicker is None or ours.median <= row.times * quicker


def _verdict(row: Row, ours: Figures | None, *scripts: Figures | None) -> str:
    verdict = met(row, ours, scripts)
    return "" if verdict is None else "met" if verdict else "missed"


def _mark(row: Row) -> str:
    times = f", {row.times:g} × the quicker script" if row.times else ""
    return "" if row.most is None else f"{row.most:g} ms{times}"


def _cell(figures: Figures | None) -> str:
    return "–" if figures is None else f"{figures.median:.1f} / {figures.p95:.1f} ({figures.least:.1f})"


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _mib(size: int) -> str:
    return f"{size / KIB**2:.1f} MiB"
