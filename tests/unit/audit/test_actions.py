"""Every action is in the documentation, and nothing else is."""

import re

from ari_bridge.audit import Action
from deploy.demo.install import PROJECT


def test_every_action_is_documented() -> None:
    text = (PROJECT / "docs" / "AUDIT.md").read_text()
    cells = re.findall(r"(?m)^\| (`[a-z_]+\.[a-z_]+`[^|]*) \|", text)
    rows = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(rows) == sorted(action.value for action in Action)


def test_every_action_is_recorded_somewhere() -> None:
    sources = [path.read_text() for name in ("ari_bridge", "frontend") for path in (PROJECT / name).rglob("*.py")]
    text = "\n".join(sources)
    unrecorded = {action for action in Action if f"Action.{action.name}" not in text}
    # The four of a recording are made of the command's own word (frontend/calls/commands.py).
    assert {action.value.partition(".")[0] for action in unrecorded} <= {"recording"}
    assert 'Action(f"recording.{action}")' in text


def test_the_admin_page_has_words_for_every_action() -> None:
    text = (PROJECT / "frontend/web/softphone/src/texts/adminAudit.ts").read_text()
    assert set(re.findall(r'^  "([a-z_]+\.[a-z_]+)":', text, re.MULTILINE)) == {action.value for action in Action}
