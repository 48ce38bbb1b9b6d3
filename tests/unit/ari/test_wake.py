"""Which Asterisk must be woken."""

import pytest

from ari_bridge.ari.channel_wakeup import needs_wakeup


@pytest.mark.parametrize("version", ["16.28.0~dfsg-0+deb11u4", "18.24.0", "19.8.1", "20.9.3", "21.4.0", "", "GIT-x"])
def test_legacy(version: str) -> None:
    assert needs_wakeup(version)


@pytest.mark.parametrize("version", ["18.25.0", "20.10.0", "21.5.0", "22.0.0", "22.10.1", "23.0.0"])
def test_wakes_by_itself(version: str) -> None:
    assert not needs_wakeup(version)
