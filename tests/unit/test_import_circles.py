"""No module imports itself over others, not even by an import inside of a function or for types alone.

import-linter holds packages to their floors; this looks at every import statement there is.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "python"
PACKAGES = (ROOT / "ari_bridge", ROOT / "frontend", CLIENT / "ari_bridge_client", CLIENT / "ari_bridge_protocol")


def modules(package: Path) -> dict[str, Path]:
    """By dotted name."""
    files = {file.relative_to(package.parent).with_suffix("").parts: file for file in package.rglob("*.py")}
    return {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): file
        for parts, file in files.items()
        if "node_modules" not in parts
    }


def imports(source: str) -> Iterator[tuple[str, ...]]:
    """What each import statement may mean: the module, or a module within the package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, "imports are absolute"
            yield from ((f"{node.module}.{alias.name}", node.module) for alias in node.names)


def graph(sources: dict[str, str]) -> dict[str, set[str]]:
    return {
        name: {next(one for one in meant if one in sources) for meant in imports(source) if set(meant) & sources.keys()}
        for name, source in sources.items()
    }


def test_no_module_imports_itself_over_others() -> None:
    found = {name: file.read_text() for package in PACKAGES for name, file in modules(package).items()}
    assert len(found) > 150
    TopologicalSorter(graph(found)).prepare()


@pytest.mark.parametrize(
    "back",
    [
        "from house.room import Door",
        "from house import room",
        "import house.room",
        "def enter() -> None:\n    from house.room import Door",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.room import Door",
    ],
)
def test_a_circle_is_found_wherever_the_import_hides(back: str) -> None:
    sources = {"house": "", "house.room": "from house.hall import Hall", "house.hall": back}
    with pytest.raises(CycleError):
        TopologicalSorter(graph(sources)).prepare()
