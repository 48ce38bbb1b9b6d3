"""Real parts, and a front end of its own process with sign-in, whose memory can be looked at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ari_bridge.accounts.users_file import UsersFile
from deploy.demo.rtpengine import Rtpengine
from tests.chaos.front_end import FrontEnd
from tests.real.parts import Pbx
from tests.real.parts import pbx as pbx
from tests.real.parts import pbxes as pbxes
from tests.real.parts import rtpengine as rtpengine

PASSWORD = "correct horse battery staple"


@pytest.fixture
async def front_end(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> AsyncIterator[FrontEnd]:
    """1001 and 1002 are users; 1009 is an operator, whose password was stolen."""
    for name, roles in (("1001", ("user",)), ("1002", ("user",)), ("1009", ("user", "operator"))):
        UsersFile(tmp_path / "users").add(name, PASSWORD, *roles)
    environment = {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": rtpengine.ng_address,
        "LOG_LEVEL": "warning",
    }
    front_end = FrontEnd(tmp_path, environment)
    try:
        await front_end.start()
        yield front_end
    finally:
        await front_end.close()
