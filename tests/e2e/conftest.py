"""The fixtures of this layer: real parts, one Chromium and one Firefox for all tests, and a phone's media for SIPp.

Playwright's objects live in one event loop, so all tests of this layer share the session's.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from deploy.demo.rtpengine import Rtpengine
from tests.e2e.chromium import chromium
from tests.e2e.firefox import firefox
from tests.real.live_system import LiveSystem, live_system
from tests.real.live_system import site_with as site_with
from tests.real.parts import Pbx
from tests.real.parts import pbx as pbx
from tests.real.parts import pbxes as pbxes
from tests.real.parts import rtpengine as rtpengine
from tests.real.rtp import RtpPeer
from tests.real.tone_file import write_tone

PAGE_TONE = 440.0
"""Hz that the page's microphone hears."""
FAR_TONE = 700.0
"""Hz that the SIP phone sends."""


both_browsers = pytest.mark.parametrize("browser", ["chromium", "firefox"], indirect=True)
"""Runs a test in each."""


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Browser:
    """Chromium, unless the test says otherwise."""
    running: Browser = request.getfixturevalue(f"running_{getattr(request, 'param', 'chromium')}")
    return running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with firefox(tmp_path_factory.mktemp("firefox"), round(PAGE_TONE)) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    tone = tmp_path_factory.mktemp("microphone") / "tone.wav"
    write_tone(tone, PAGE_TONE)
    async with chromium(tone) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def site(pbx: Pbx, rtpengine: Rtpengine) -> AsyncIterator[LiveSystem]:
    async with live_system(pbx, rtpengine) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def far() -> AsyncIterator[RtpPeer]:
    """The SIP phone's audio."""
    async with RtpPeer(FAR_TONE) as peer:
        yield peer
