"""Voicemail boxes in a running Asterisk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.parts import Pbx, require_installed

BOXES = "[general]\nformat = wav\n[default]\n1001 => 4711,1001\n1003 => 4711,1003\n"


@pytest.fixture
def voicemail_boxes(pbx: Pbx) -> Iterator[Path]:
    """1001 and 1003 have an empty voicemail box; where messages are kept. Afterwards there are none again."""
    asterisk = pbx.asterisk
    require_installed("app_voicemail" in asterisk.cli("module show like app_voicemail"), "asterisk-voicemail")
    configuration = asterisk.home / "etc" / "voicemail.conf"
    before = configuration.read_bytes()
    configuration.write_text(BOXES)
    asterisk.cli("voicemail reload")
    spool = asterisk.home / "spool" / "voicemail" / "default"
    shutil.rmtree(spool, ignore_errors=True)
    yield spool
    configuration.write_bytes(before)
    asterisk.cli("voicemail reload")
