"""Where the real Asterisk lives: the machine's own when it fits, else a small Debian tree in the user's cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Run = Callable[[Sequence[str]], None]
"""Runs a command with its output in the log; raises when it fails."""


@dataclass(frozen=True, slots=True)
class Release:
    """The Debian release that ships a version of Asterisk."""

    suite: str
    apt_options: tuple[str, ...] = ()
    packages: tuple[str, ...] = ("asterisk",)


RELEASES = {
    "16": Release("bullseye", ('Acquire::Check-Valid-Until "false"',), ("asterisk", "asterisk-voicemail")),
    "22": Release("forky", ('Acquire::Check-Valid-Until "false"',)),
}


class NoMirror(Exception):
    """This machine's apt knows no Debian mirror, so there is nowhere to take Asterisk from."""


def cache() -> Path:
    """The folder outside the repository that outlives a clone."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ari-bridge"


def find(version: str) -> Path | None:
    """The root folder of an Asterisk of the major `version`: "/" for the machine's own; None when there is none."""
    cached = cache() / f"asterisk-{version}"
    for root in (Path("/"), cached):
        if installed_version(root).partition(".")[0] == version and (root != cached or _complete(root, version)):
            return root
    return None


def _complete(root: Path, version: str) -> bool:
    """Whether a tree that an earlier version of this project made has all that this one wants."""
    names = RELEASES[version].packages if version in RELEASES else ()
    return all((root / "var/lib/dpkg/info" / f"{name}.list").exists() for name in names)


def installed_version(root: Path) -> str:
    """The version of the Asterisk under `root`, like "16.28.0"; empty when there is none that runs."""
    if not (root / "usr/sbin/asterisk").exists():
        return ""
    try:
        answer = subprocess.run(
            ["chroot", str(root), "/usr/sbin/asterisk", "-V"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"Asterisk (\d+(?:\.\d+)*)", answer.stdout)
    return match.group(1) if match else ""


def build(version: str, run: Run) -> Path:
    """Makes the Debian tree with Asterisk `version` in the cache; about 20 s and 300 MB. Needs mmdebstrap and root.

    It is put in its place when whole, so a build that was cut off leaves nothing that looks like one.
    Raises `NoMirror`, or what `run` raises.
    """
    release = RELEASES[version]
    root = cache() / f"asterisk-{version}"
    unfinished = root.with_name(f"{root.name}.{os.getpid()}.unfinished")
    root.parent.mkdir(parents=True, exist_ok=True)
    try:
        run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=apt",
                f"--include={','.join(release.packages)}",
                *(f"--aptopt={option}" for option in release.apt_options),
                release.suite,
                str(unfinished),
                f"deb {mirror()} {release.suite} main",
            ]
        )
        if find(version) is None:  # else another start was quicker, and may run it by now
            shutil.rmtree(root, ignore_errors=True)
            unfinished.rename(root)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return root


def mirror() -> str:
    """The Debian mirror that this machine's own apt uses. Raises `NoMirror`."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT) $(IDENTIFIER) $(RELEASE)"],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listing.stdout.splitlines():
        uri, component, identifier, release = line.split(" ", 3)
        if identifier == "Packages" and component == "main" and "-" not in release:
            return uri
    raise NoMirror("apt-get indextargets names no Debian mirror: is there a sources list with `main` in /etc/apt?")
