"""A process that collects recordings until it is killed.

`python -m tests.component.recordings.collecting ARI_URL USER PASSWORD APP STATE_DIR STORE [S3_URL REGION KEY SECRET]`.
It knows every call whose name does not begin with `other`.
"""

import asyncio
import sys
from pathlib import Path

from ari_bridge.ari.client import Ari
from ari_bridge.recordings import Collector, Library, StoreKeys, collector, open_store
from tests.component.recordings.conftest import an_ended_call


async def collect(url: str, user: str, password: str, app: str, state: str, place: str, *keys: str) -> None:
    collector.FIRST_RETRY_S = 0.02
    collector.MAX_RETRY_S = 0.1
    state_dir = Path(state)
    store = open_store(place, state_dir, StoreKeys(*keys))
    ari = Ari(url, user, password, app)
    library = Library(store, state_dir, days=1e6)
    worker = Collector(ari.recordings, library, state_dir, an_ended_call)
    ari.on_event(worker.on_event)
    ari.on_connect(worker.on_connect)
    await library.start()
    await worker.start()
    await ari.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(collect(*sys.argv[1:]))
