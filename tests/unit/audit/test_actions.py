"""Every action is in the documentation, and nothing else is."""

import re

from ari_bridge.audit import Action
from deploy.demo.install import PROJECT


def test_every_action_is_documented() -> None:
    text = (PROJECT / "docs" / "AUDIT.md").read_text()
    cells = re.findall(r"(?m)^\| (`[a-z_]+\.[a-z_]+`[^|]*) \|", text)
    rows = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(rows) == sorted(action.value for action in Action)
