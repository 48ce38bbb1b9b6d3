"""The fixtures of this layer: real parts and a front end beside them."""

import asyncio
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from deploy.demo.rtpengine import Rtpengine
from tests.chaos.front_end import FrontEnd
from tests.real.live_system import site as site
from tests.real.live_system import site_with as site_with
from tests.real.parts import Pbx
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


@pytest.fixture
async def front_end(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> AsyncIterator[FrontEnd]:
    """A front end in a process of its own, to be killed. At the end no channel may be left."""
    environment = {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": rtpengine.ng_address,
        "ENABLE_AUTHENTICATION": "false",
    }
    front_end = FrontEnd(tmp_path, environment)
    try:
        await front_end.start()
        yield front_end
        async with asyncio.timeout(8):
            while "!" in await asyncio.to_thread(pbx.asterisk.cli, "core show channels concise"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        await front_end.close()
