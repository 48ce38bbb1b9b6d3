"""Call detail records as the rest of the server uses them: started, closed, asked."""

from pathlib import Path
from typing import Any

import msgspec

from ari_bridge.cdr.cdr import Cdr
from ari_bridge.cdr.database import Database
from ari_bridge.cdr.errors import RowsRejected
from ari_bridge.cdr.query import CdrPage, Query
from ari_bridge.cdr.writer import EndedCalls, Writer
from ari_bridge.errors import InvalidRequest, UnknownCall
from ari_bridge.hooks import Hooks
from ari_bridge.ids import is_call_id

FILE = "cdr.sqlite"
MAX_FEEDBACK_BYTES = 4096
OPEN_TIMEOUT_S = 5.0
"""How long a query right after the start waits for the database to be opened."""


class CdrService:
    """`url`: of a PostgreSQL, or "" for a SQLite file in `state_dir`. `days`: how long a row is kept.

    `memory` is the call store: started before this, closed after it. Raises ValueError if the URL is invalid.
    """

    def __init__(self, memory: EndedCalls, hooks: Hooks, *, state_dir: Path, url: str = "", days: float = 365) -> None:
        self._database = Database(url, state_dir / FILE)
        self._writer = Writer(self._database, memory, days=days)
        hooks.tap(self._writer.tap)

    @property
    def healthy(self) -> bool:
        """Whether ended calls are written. Where not, they are later."""
        return self._writer.health.healthy

    @property
    def reason(self) -> str:
        """Why the records are not available; "" if they are."""
        return self._writer.health.reason

    async def start(self) -> None:
        """Never fails: a database that is away is tried again, and `healthy` says so."""
        self._writer.start()

    async def close(self) -> None:
        await self._writer.close()
        await self._database.close()

    async def page(self, query: Query) -> CdrPage:
        """Newest first. A call is found here some tenths of a second after its end. Raises CdrUnavailable."""
        await self._writer.first_attempt(OPEN_TIMEOUT_S)
        return await self._database.page(query)

    async def get(self, call_id: str) -> Cdr:
        """Raises UnknownCall, CdrUnavailable."""
        found = await self._database.get(call_id) if is_call_id(call_id) else None
        if found is None:
            raise no_record(call_id)
        return found

    async def give_feedback(self, call_id: str, feedback: dict[str, Any]) -> None:
        """What somebody thought of the call; JSON-ready. In place of what was given before.

        Raises UnknownCall (also in the first moment after the end), InvalidRequest (too large), CdrUnavailable.
        """
        if len(msgspec.json.encode(feedback)) > MAX_FEEDBACK_BYTES:
            raise InvalidRequest(f"The feedback is larger than {MAX_FEEDBACK_BYTES} bytes.", field="feedback")
        try:
            known = await self._database.set_feedback(call_id, feedback)
        except RowsRejected as error:
            raise InvalidRequest(f"The feedback cannot be kept: {error.reason}.", field="feedback") from error
        if not known:
            raise no_record(call_id)


def no_record(call_id: str) -> UnknownCall:
    """The same for a record that never was, and for one that the caller may not see."""
    return UnknownCall(f"There is no record of a call {call_id[:64]!r}.", field="callId")
