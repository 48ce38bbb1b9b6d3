"""The call store: what neither Asterisk nor rtpengine can tell about a call, kept beyond our process.

`CallStore` is what the engine needs of it, `SqliteCallStore` is the implementation. Knows calls; knows neither peers
nor the front end.

Theory of operation
-------------------
*Save before act.* After each event of a call, its row is saved before the actions that were decided are carried out
(`call_writer`). So a process that is killed has reported nothing that its successor does not know. A save runs in
the event loop and takes about 40 µs: one append to SQLite's write-ahead log, without waiting for the disk. It does
nothing if no persisted field has changed. What does wait for the disk (checkpoints, purging) runs in a thread, once a
minute (`maintenance`).

*Degraded mode.* Trouble with the database never reaches a call, and no method that the engine calls raises. While the
database takes no writes, rows go to the write buffer instead (`write_buffer`): the newest row of each call in memory,
and every row in the journal (`spill_journal`), a file of JSON lines on another filesystem. Reads look into the buffer
first. `status` has the state (`StoreState`), the reason, and the log lines for the operator.

*Repair.* While it is degraded, the store tries once a second to write the buffer to the database (`repair`). What has
to happen before that depends on the state. DEGRADED (locked, full, read-only): nothing. MOVED (somebody deleted or
replaced the file): all rows are read from the old file, which we still have open, and written to a fresh one. CORRUPT:
the file is moved aside, never deleted, and a fresh one gets all rows that can still be read. A fresh file gets the rows
of all live calls in any case, as the writer keeps them in memory.

*Start.* One process at a time uses a state directory (`process_lock`). It reads the live calls from the database and
from a journal that an earlier process left; of two rows of a call the one with the higher revision counts, in whatever
file it is. Asterisk and rtpengine then say what became of these calls (`fsm.recovery`).

What may be lost:

    the process is killed          nothing
    a power failure                the rows of the last seconds, with the calls; the file stays intact
    the database takes no writes   nothing, as long as the journal can be written
    nor does the journal           what is in the buffer, if the process is killed before either works again
"""

from ari_bridge.call_store.idempotency_keys import Key, KeyStore, KeyStoreUnavailable, StoredResponse
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.protocol import CallStore
from ari_bridge.call_store.readonly import has_call, live_calls
from ari_bridge.call_store.sqlite_store import SqliteCallStore

__all__ = [
    "StoredResponse",
    "CallStore",
    "Key",
    "KeyStore",
    "KeyStoreUnavailable",
    "SqliteCallStore",
    "has_call",
    "StoreRefused",
    "live_calls",
]
