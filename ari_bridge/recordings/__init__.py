"""Where the recordings of calls are kept: fetched from Asterisk, brought into a store, listed, played, deleted.

A recording is a WAV file in Asterisk's spool first. `Collector` brings it to the `Library` by way of a folder of ours,
and deletes it from Asterisk only when the store has shown that it holds the very same bytes. Knows calls and what ARI
says of recordings; knows neither the engine's machinery nor the front end.
"""

from ari_bridge.recordings.collector import Collector
from ari_bridge.recordings.library import Filters, Library, Page
from ari_bridge.recordings.location import InvalidLocation, StoreKeys, parse_location
from ari_bridge.recordings.protocol import RecordingStore, StoreFailed
from ari_bridge.recordings.recording import Recording
from ari_bridge.recordings.store_factory import open_store

__all__ = [
    "Collector",
    "Filters",
    "InvalidLocation",
    "Library",
    "Page",
    "Recording",
    "RecordingStore",
    "StoreFailed",
    "StoreKeys",
    "open_store",
    "parse_location",
]
