"""Reading the call store from outside, also while a server uses it. Read-only."""

import sqlite3
from pathlib import Path

import msgspec

from ari_bridge.call_store.database_handle import FILE
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.rows import Row, to_call
from ari_bridge.fsm.call import Call
from ari_bridge.sql.sqlite import uri_of

_LIVE = "SELECT id, revision, created_at, record FROM calls WHERE ended_at IS NULL ORDER BY created_at"


def live_calls(state_dir: Path) -> list[Call]:
    """The calls that had not ended when last saved, oldest first; none if there is no file. Raises StoreRefused."""
    path = state_dir / FILE
    if not path.exists():
        return []
    try:
        connection = sqlite3.connect(uri_of(path, "ro"), uri=True)
        try:
            found = connection.execute(_LIVE).fetchall()
        finally:
            connection.close()
        return [to_call(_row(*columns)) for columns in found]
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise StoreRefused(f"{path} cannot be read: {error}") from error


def has_call(state_dir: Path, stem: str) -> bool:
    """Whether a call with this stem (`ids.stem_of`) is recorded, live or ended. Raises StoreRefused."""
    path = state_dir / FILE
    if not path.exists():
        return False
    try:
        connection = sqlite3.connect(uri_of(path, "ro"), uri=True)
        try:
            return connection.execute("SELECT 1 FROM calls WHERE id = ?", (stem,)).fetchone() is not None
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreRefused(f"{path} cannot be read: {error}") from error


def _row(call_id: str, revision: int, created_at: float, record: str) -> Row:
    return Row(call_id, revision, created_at, None, msgspec.Raw(record.encode()))
