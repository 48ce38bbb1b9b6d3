"""The fixtures of this layer: real parts, and a phone's media for SIPp."""

from collections.abc import AsyncIterator

import pytest

from tests.real.live_system import site as site
from tests.real.live_system import site_with as site_with
from tests.real.parts import pbx as pbx
from tests.real.parts import pbxes as pbxes
from tests.real.parts import rtpengine as rtpengine
from tests.real.rtp import RtpPeer

FAR_TONE = 700.0
"""Hz that the SIP phone sends."""


@pytest.fixture
async def far() -> AsyncIterator[RtpPeer]:
    """The SIP phone's audio."""
    async with RtpPeer(FAR_TONE) as peer:
        yield peer
