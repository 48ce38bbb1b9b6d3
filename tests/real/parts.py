"""Fixtures: the real Asterisk and rtpengine, started once for a whole run and shared by its tests.

A layer's `conftest.py` imports the fixtures it wants.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.demo import rootfs
from deploy.demo.asterisk import CONFIGURATION, Asterisk
from deploy.demo.rtpengine import Rtpengine
from tests.real import free_ports

VERSIONS = ("16", "22")
both_versions = pytest.mark.parametrize("pbx", VERSIONS, indirect=True, ids=[f"asterisk-{one}" for one in VERSIONS])


def require_installed(present: bool, what: str) -> None:
    """Skips the test where `what` is missing on a developer's machine; where nothing may be left out, it fails."""
    if present:
        return
    if os.environ.get("CI") or os.environ.get("REQUIRE_REAL"):
        pytest.fail(f"{what} is not installed (`make test` does it)")
    pytest.skip(f"{what} is not installed (`make test` does it)")


@dataclass
class Pbx:
    """An Asterisk with the ports that tests dial and listen on."""

    asterisk: Asterisk
    sip_port: int  # SIP callers send here; UDP and TCP
    trunk_port: int  # 7xxx calls come out here


def new_pbx(run_dir: Path, version: str = VERSIONS[0], configuration: Path = CONFIGURATION) -> Pbx:
    """An Asterisk that is not started yet; `configuration`: the folder of its .conf files."""
    require_installed(rootfs.find(version) is not None, f"Asterisk {version}")
    ari, sip, trunk = free_ports.ports(3)
    asterisk = Asterisk(
        run_dir,
        ari_port=ari,
        sip_port=sip,
        trunk_port=trunk,
        rtp_range=free_ports.rtp_range(),
        version=version,
        configuration=configuration,
    )
    return Pbx(asterisk, sip, trunk)


def new_rtpengine(run_dir: Path) -> Rtpengine:
    """An rtpengine that is not started yet."""
    require_installed(shutil.which("rtpengine") is not None, "rtpengine")
    [ng] = free_ports.ports(1)
    return Rtpengine(run_dir, ng_port=ng, rtp_range=free_ports.rtp_range())


@dataclass
class Pbxes:
    """Each version of Asterisk, started when a test first wants it."""

    folder: Path
    stack: ExitStack
    running: dict[str, Pbx] = field(default_factory=dict)

    def get(self, version: str) -> Pbx:
        if version not in self.running:
            pbx = new_pbx(self.folder / f"asterisk-{version}", version)
            self.stack.enter_context(pbx.asterisk)
            self.running[version] = pbx
        return self.running[version]


@pytest.fixture(scope="session")
def pbxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbxes]:
    with ExitStack() as stack:
        yield Pbxes(tmp_path_factory.mktemp("pbx"), stack)


@pytest.fixture
def pbx(request: pytest.FixtureRequest, pbxes: Pbxes) -> Pbx:
    """Asterisk 16.28, or the version that the test is parametrized with (`indirect`)."""
    return pbxes.get(getattr(request, "param", VERSIONS[0]))


@pytest.fixture(scope="session")
def rtpengine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rtpengine]:
    with new_rtpengine(tmp_path_factory.mktemp("rtpengine")) as running:
        yield running
