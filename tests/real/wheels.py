"""The two distributions as wheels, and virtual environments that have one of them and what it asks for, nothing else.

Nothing is fetched: what they ask for is taken from the environment that runs the tests.
"""

import importlib.metadata
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.demo.install import CLIENT, PROJECT

_NOT_SOURCES = shutil.ignore_patterns("web", "build", "*.egg-info", "__pycache__")


def build_client(folder: Path) -> Path:
    """The wheel of ari-bridge-client, in `folder`."""
    return _build(folder, CLIENT, "pyproject.toml", "README.md", "ari_bridge_client", "ari_bridge_protocol")


def build_server(folder: Path) -> Path:
    """The wheel of ari-bridge, in `folder`."""
    # With folders that are to be left out.
    return _build(folder, PROJECT, "pyproject.toml", "README.md", "ari_bridge", "frontend", "tests", "deploy")


def _build(folder: Path, project: Path, *parts: str) -> Path:
    """Built from a copy: setuptools leaves its own files beside the sources."""
    sources = folder / f"sources-{project.name}"
    sources.mkdir()
    for part in parts:
        if (project / part).is_dir():
            shutil.copytree(project / part, sources / part, ignore=_NOT_SOURCES)
        else:
            shutil.copy(project / part, sources)
    wheels = folder / f"wheels-{project.name}"
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", wheels, sources)
    [wheel] = wheels.glob("*.whl")
    return wheel


def top_levels(wheel: Path) -> set[str]:
    """What can be imported from it."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
    return {name for name in names if not name.endswith(".dist-info")}


class Environment:
    """A fresh virtual environment.

    Args:
        folder: Where to make it; it is not there yet.
    """

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.bin = folder / "bin"
        self.python = self.bin / "python"
        self.distributions: set[str] = set()
        self._asked: set[tuple[str, ...]] = set()
        [self._packages] = folder.glob("lib/python3.*/site-packages")

    def install(self, *wheels: Path, extras: Collection[str] = ()) -> None:
        """Installs the wheels, and beside them what they ask for, with these `extras` of theirs."""
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", self.python)
        _run(*pip, "install", "-q", "--no-deps", "--no-index", *wheels)
        ours = {canonicalize_name(wheel.name.split("-")[0]) for wheel in wheels}
        for name in ours:
            found = importlib.metadata.Distribution.discover(name=name, path=[str(self._packages)])
            for requirement in _asked_by(next(iter(found)), extras):
                self._add(requirement, ours)

    def _add(self, requirement: Requirement, ours: Collection[str]) -> None:
        name = canonicalize_name(requirement.name)
        # With other extras than before it asks for more.
        if name in ours or (name, *sorted(requirement.extras)) in self._asked:
            return
        self._asked.add((name, *sorted(requirement.extras)))
        self.distributions.add(name)
        distribution = importlib.metadata.distribution(name)
        for part in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
            link = self._packages / part
            if part != "__pycache__" and not link.exists():
                link.symlink_to(Path(str(distribution.locate_file(part))))
        for further in _asked_by(distribution, requirement.extras):
            self._add(further, ours)


def _asked_by(distribution: importlib.metadata.Distribution, extras: Collection[str]) -> Iterator[Requirement]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield requirement


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)
