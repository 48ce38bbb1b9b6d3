"""What a case is, and what most have in common."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.browser import Browsers, browsers
from tests.chaos.results import Mark, Seen
from tests.chaos.system import System, system

Run = Callable[[], Awaitable[Seen]]
"""One run of a case: calls are made, the fault comes, and what was seen is told. Nothing of it is left after."""


@dataclass(frozen=True)
class Case:
    """`open(folder)` starts what all runs of the case share, and gives one run."""

    name: str
    what: str  # the row's first column
    mark: Mark
    open: Callable[[Path], AbstractAsyncContextManager[Run]]
    quick: bool = True  # also in the short form, which `make test` runs


Body = Callable[[System, Browsers], Awaitable[Seen]]


def on_one_system(body: Body) -> Callable[[Path], AbstractAsyncContextManager[Run]]:
    """A case whose runs follow each other on one system. After each, its leftovers are counted."""

    @asynccontextmanager
    async def open_(folder: Path) -> AsyncIterator[Run]:
        async with system(folder) as running, browsers(folder / "browser") as made:

            async def run() -> Seen:
                seen = await body(running, made)
                seen.left += await running.nothing_left()
                return seen

            yield run

    return open_
