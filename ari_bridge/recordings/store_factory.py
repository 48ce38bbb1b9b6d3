"""The recording store of a location."""

from pathlib import Path

from ari_bridge.recordings.disk_store import DiskStore
from ari_bridge.recordings.location import Bucket, StoreKeys, parse_location
from ari_bridge.recordings.protocol import RecordingStore

DEFAULT_FOLDER = "recordings"
"""In the state directory."""


def open_store(location: str, state_dir: Path, keys: StoreKeys) -> RecordingStore:
    """The store at that location; no request is sent to it yet. Raises InvalidLocation."""
    parsed = parse_location(location)
    if not isinstance(parsed, Bucket):
        return DiskStore(parsed or state_dir / DEFAULT_FOLDER)
    from ari_bridge.recordings.s3_store import S3Store  # obstore takes a while to load, and most systems need none

    return S3Store(parsed, keys)
