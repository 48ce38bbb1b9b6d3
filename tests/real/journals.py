"""What a test's call memory may leave outside of its folder: a front end that was killed, or in trouble at its end."""

from pathlib import Path

from ari_bridge.store import journal


def remove_journal(state_dir: Path) -> None:
    """Removes the journal of a folder that no front end will use again. None there is fine."""
    (journal.directory(state_dir) / journal.name(state_dir)).unlink(missing_ok=True)
