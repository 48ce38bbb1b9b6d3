"""The fixtures of this layer: real parts and a front end beside them."""

from collections.abc import Generator

import pytest

from tests.real.live_system import site as site
from tests.real.live_system import site_with as site_with
from tests.real.parts import pbx as pbx
from tests.real.parts import pbxes as pbxes
from tests.real.parts import rtpengine as rtpengine

FAILED = pytest.StashKey[bool]()
"""Set for a test whose call has failed: a fixture shows then what it knows."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and report.when == "call":
        item.stash[FAILED] = True
    return report
