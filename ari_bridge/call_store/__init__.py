"""The call store: what neither Asterisk nor rtpengine can tell about a call, kept beyond our process.

`CallStore` is what the engine needs of it, `SqliteStore` what is used. A call is written before what was
decided is done, so a process that is killed has told nobody anything that its successor does not know.
Knows calls; knows neither peers nor the front end.
"""

from ari_bridge.call_store.idempotency_keys import Key, KeyStore, KeyStoreUnavailable, StoredResponse
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.protocol import CallStore
from ari_bridge.call_store.readonly import knows, live_records
from ari_bridge.call_store.sqlite_store import SqliteStore

__all__ = [
    "StoredResponse",
    "CallStore",
    "Key",
    "KeyStore",
    "KeyStoreUnavailable",
    "SqliteStore",
    "StoreRefused",
    "knows",
    "live_records",
]
