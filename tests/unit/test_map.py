"""The map in docs/ARCHITECTURE.md is true: its floors are those that import-linter holds the code to."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def floors_of_code(container: str) -> list[set[str]]:
    """From the top, as pyproject.toml has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [each["layers"] for each in contracts if each.get("containers") == [container]]
    return [set(re.findall(r"\w+", floor)) for floor in layers]


def floors_of_map(container: str) -> list[set[str]]:
    """From the top: of each row of the table below "`container`, from the top:" the names before their explanations."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    table = text.split(f"`{container}`, from the top:")[1].split("\n\n")[1]
    rows = [row.split("|")[2] for row in table.splitlines()[2:]]
    return [set(re.findall(r"`(\w+)`", re.sub(r"\([^()]*\)", "", row).split(", which")[0])) for row in rows]


@pytest.mark.parametrize("container", ["ari_bridge", "frontend"])
def test_every_package_stands_on_its_floor(container: str) -> None:
    drawn = floors_of_map(container)
    placed = {name: number for number, floor in enumerate(drawn) for name in floor}
    code = floors_of_code(container)
    assert set(placed) == set().union(*code)
    below = 0
    for floor in code:  # a floor of the map may have several of the code, never the other way round
        [number] = {placed[name] for name in floor}
        assert number >= below, f"{floor} stands too high"
        below = number


@pytest.mark.parametrize("container", ["ari_bridge", "frontend"])
def test_every_folder_is_on_the_map(container: str) -> None:
    packages = {path.parent.name for path in (ROOT / container).glob("*/__init__.py")}
    assert packages <= set().union(*floors_of_map(container))


def test_every_file_that_contributing_names_is_there() -> None:
    named = re.findall(r"`([\w./-]+/[\w.-]*)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists() and not path.startswith("src/")] == []
