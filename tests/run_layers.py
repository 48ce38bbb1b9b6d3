"""Runs the test layers in order, each with one line that says how it went; its whole output goes to a log.

Run as `python -m tests.run_layers [LAYER ...]` in `.venv`; `make test` runs all. All layers run even when one fails.
What mostly waits, for real parts and for sounds, runs beside what computes; what measures runs alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.install import PROJECT, WEB, node_environment, npm
from deploy.demo.steps import say

LOGS = PROJECT / "tests" / "artifacts"
COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of check: its commands, run in order until one fails."""

    name: str
    what: str
    commands: tuple[tuple[str, ...], ...]
    folder: Path = PROJECT
    waits: bool = False  # mostly: it may run beside others
    alone: bool = False  # nothing may run beside it


@dataclass(frozen=True, slots=True)
class Result:
    """How a layer went. `passed` and `failed` count tests, or 1 for a layer that has no count of its own."""

    layer: Layer
    passed: int
    failed: int
    skipped: int
    seconds: float
    log: Path


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """A command that is installed in the environment that runs this."""
    return (str(Path(sys.executable).with_name(name)), *arguments)


def pytest_layer(
    name: str,
    what: str,
    *paths: str,
    without: tuple[str, ...] = (),
    waits: bool = False,
    alone: bool = False,
    nice: bool = False,
) -> Layer:
    """The layer of the tests in `paths`, or in `tests/NAME`, but for those `without`. `nice`: all others come first."""
    command = (sys.executable, "-m", "pytest", "-q", "-ra", "--color=no", *(paths or [f"tests/{name}"]))
    command = (*(("nice", "-n", "19") if nice else ()), *command, *(f"--ignore={path}" for path in without))
    return Layer(name, what, (command,), waits=waits, alone=alone)


GALLERY = "tests/e2e/test_gallery.py"
"""It takes long and hears nothing: it is content with what the calls beside it leave of the machine."""

LAYERS = (
    Layer("style", "ruff", (tool("ruff", "check", "."), tool("ruff", "format", "--check", "."))),
    Layer("types", "mypy --strict", (tool("mypy"),)),
    Layer("imports", "import-linter", (tool("lint-imports"),)),
    # The build itself is part of the install, which stops when it fails.
    Layer(
        "web",
        "tsc, Biome, vitest",
        ((*npm(), "run", "check"), (*npm(), "run", "lint"), (*npm(), "test")),
        folder=WEB,
    ),
    pytest_layer("unit", "pure logic"),
    pytest_layer("component", "one part against a tiny real peer"),
    pytest_layer("integration", "a real Asterisk 16 and 22, a real rtpengine", waits=True),
    pytest_layer("security", "attacks that must fail", waits=True),
    pytest_layer("gallery", "each state of the pages in pictures", GALLERY, waits=True, nice=True),
    pytest_layer("e2e", "Chromium and Firefox on the whole system", without=(GALLERY,)),
    pytest_layer("sipp", "SIPp scenarios and the SIP edge", alone=True),
    pytest_layer("chaos", "faults during calls, each once", alone=True),
    pytest_layer("bench", "the benchmark runs, whatever its figures", alone=True),
)


def run(layer: Layer) -> Result:
    """Runs a layer; its output goes to `tests/artifacts/NAME.log`."""
    path = LOGS / f"{layer.name}.log"
    started = time.monotonic()
    status = 0
    with path.open("wb") as log:
        for command in layer.commands:
            status = subprocess.run(
                command,
                cwd=layer.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **node_environment(), "CI": "true"},
                check=False,
            ).returncode
            if status != 0:
                break
    passed, failed, skipped = _counts(path)
    if status != 0 and failed == 0:
        failed = 1
    if status == 0 and passed == 0:
        passed = 1
    return Result(layer, passed, failed, skipped, time.monotonic() - started, path)


def _counts(log: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) as the runner's closing line has them; zeros when there is none."""
    for line in reversed(log.read_text(errors="replace").splitlines()):
        counts = {word: int(number) for number, word in COUNT.findall(line)}
        if "passed" in counts or "failed" in counts or "error" in counts or "errors" in counts:
            failed = sum(counts.get(word, 0) for word in ("failed", "error", "errors"))
            return counts.get("passed", 0), failed, counts.get("skipped", 0)
    return 0, 0, 0


def _wanted(names: list[str]) -> list[Layer]:
    by_name = {layer.name: layer for layer in LAYERS}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise SystemExit(f"no layer {', '.join(unknown)}; there are {', '.join(by_name)}")
    return [by_name[name] for name in names] if names else list(LAYERS)


def tell(result: Result) -> None:
    """How it went, and the end of its log where it went wrong."""
    mark = "✗" if result.failed else "✓"
    counts = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
    say(f"  {mark} {result.layer.name:<12} {counts:<36} {result.seconds:5.0f} s   {result.layer.what}")
    if result.failed:
        for line in result.log.read_text(errors="replace").splitlines()[-40:]:
            say(f"      {line}")
        say(f"      all of it: {result.log.relative_to(PROJECT)}")


def main() -> int:
    """Runs the layers named on the command line, or all; 1 when any failed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    wanted = _wanted(sys.argv[1:])
    results: list[Result] = []

    def collect(result: Result) -> None:
        results.append(result)
        tell(result)

    with ThreadPoolExecutor(1) as beside:
        waiting = [beside.submit(run, layer) for layer in wanted if layer.waits]
        for layer in wanted:
            while layer.alone and waiting:
                collect(waiting.pop(0).result())
            if not layer.waits:
                collect(run(layer))
        for each in waiting:
            collect(each.result())
    say(f"{sum(each.passed for each in results)} passed, {sum(each.failed for each in results)} failed")
    return 1 if any(each.failed for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
