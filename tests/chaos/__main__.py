"""Runs the cases and prints their table: `python -m tests.chaos [--runs 5] [--soak MINUTES] [CASE ...]`.

Without a case's name all run, and the soak last. Ends with 1 where a call was lost, something was left over, or a
time is above its mark. Every figure of every run goes to tests/artifacts/chaos.json, the logs to
tests/artifacts/chaos/CASE.
"""

import argparse
import asyncio
import shutil
import sys
import time
import traceback
from pathlib import Path

from tests.chaos.case import Case
from tests.chaos.cases import CASES
from tests.chaos.results import Row, Seen, save, table
from tests.chaos.soak import soak

RUN_SECONDS = 400.0
"""The longest that a run of any case may take; the steps' are the longest."""
SOAK = "soak"
ARTIFACTS = Path(__file__).parents[1] / "artifacts"


async def run_case(case: Case, runs: int, folder: Path) -> Row:
    """All runs; one that breaks is seen as one lost call, and the next begins on a system of its own."""
    row = Row(case.name, case.what, case.mark)
    lives = 0
    while len(row.seen) < runs:
        lives += 1
        try:
            async with asyncio.timeout(RUN_SECONDS * runs), case.open(folder / f"{case.name}-{lives}") as run:
                while len(row.seen) < runs:
                    seen = await run()
                    row.seen.append(seen)
                    say(f"  {case.name} {len(row.seen)}/{runs}: {_short(seen)}")
                    if seen.left:
                        break
        except Exception as error:
            traceback.print_exc()
            row.seen.append(Seen(calls=1, kept=0, wrong=[f"broke off: {error!r}"]))
            say(f"  {case.name} {len(row.seen)}/{runs}: broke off: {error!r}")
    return row


def _short(seen: Seen) -> str:
    def ms(value: float | None) -> str:
        return "-" if value is None else f"{value * 1000:.0f}"

    told = ", ".join(f"{name} {value:.3f}" for name, value in seen.told.items())
    return (
        f"{seen.kept}/{seen.calls} kept, left {len(seen.left)}, control {ms(seen.control)} ms, "
        f"silence far {ms(seen.far_silence)} browser {ms(seen.browser_silence)} phones {ms(seen.phone_silence)} "
        f"(before the fault {ms(seen.noise)}) ms"
        + (f"; {told}" if told else "")
        + "".join(f"\n      {line}" for line in seen.wrong + seen.left + seen.notes)
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    words.add_argument("--runs", type=int, default=5, help="of each case")
    words.add_argument("--soak", type=float, default=30.0, metavar="MINUTES", help="how long the soak is; 0: none")
    words.add_argument("cases", nargs="*", metavar="CASE", help=", ".join([*(case.name for case in CASES), SOAK]))
    wanted = words.parse_args()
    by_name = {case.name: case for case in CASES}
    names = wanted.cases or [*by_name, SOAK]
    if unknown := [name for name in names if name not in by_name and name != SOAK]:
        words.error(f"no case {', '.join(unknown)}; there are {', '.join([*by_name, SOAK])}")
    cases = [by_name[name] for name in names if name != SOAK]
    folder = ARTIFACTS / "chaos"
    shutil.rmtree(folder, ignore_errors=True)
    rows = []
    for case in cases:
        began = time.monotonic()
        rows.append(await run_case(case, wanted.runs, folder))
        say(f"{case.name}: {time.monotonic() - began:.0f} s")
        save(rows, ARTIFACTS / "chaos.json")
    if wanted.soak and SOAK in names:
        rows.append(await soak(folder / "soak", wanted.soak * 60, say))
        save(rows, ARTIFACTS / "chaos.json")
    say("\n" + table(rows) + "\n")
    for row in rows:
        for line in [*row.faults(), *row.late()]:
            say(f"{row.name}: {line}")
    return 1 if any(row.faults() or row.late() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
