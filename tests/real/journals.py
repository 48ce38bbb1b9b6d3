"""What a test's call store may leave outside of its folder: a front end that was killed, or in trouble at its end."""

from pathlib import Path

from ari_bridge.call_store import spill_journal


def remove_journal(state_dir: Path) -> None:
    """Removes the journal of a folder that no front end will use again. None there is fine."""
    (spill_journal.directory(state_dir) / spill_journal.name(state_dir)).unlink(missing_ok=True)
