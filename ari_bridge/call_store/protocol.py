"""What the engine needs of a call store."""

from collections.abc import Sequence
from typing import Protocol

from ari_bridge.call_store.idempotency_keys import KeyStore
from ari_bridge.cursor import Cursor
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import HookEvent


class CallStore(Protocol):
    """`save` and `get` are called in the event loop: they never wait long, and never raise."""

    @property
    def healthy(self) -> bool:
        """Whether the database takes writes. Calls continue either way."""

    @property
    def keys(self) -> KeyStore:
        """The requests with an Idempotency-Key."""

    @property
    def reason(self) -> str:
        """Why it does not; "" if it does."""

    def save(self, call: Call, events: Sequence[HookEvent] = ()) -> None:
        """Save the call as it is now, and the events that tell how it became so: all of it or nothing.

        Once it returns, a killed process does not lose it.
        """

    def live(self) -> list[Call]:
        """The calls that had not ended when last saved, oldest first; for the start."""

    def get(self, call_id: str) -> Call | None:
        """A call, live or ended, as last saved."""

    def of_stem(self, stem: str) -> Call | None:
        """The same, by the prefix of its resources' names (`ids.stem_of`)."""

    async def ended_after(self, ended_at: float, stem: str = "", *, at_most: int = 200) -> list[tuple[float, str]]:
        """When each of the calls ended that ended after this one (Unix seconds), and its stem, oldest first.

        Raises StoreRefused: it cannot be read now.
        """

    async def started_before(self, cursor: Cursor, *, at_most: int) -> tuple[list[Call], Cursor | None]:
        """A page of calls, live and ended, newest first (from `NEWEST` on), and the cursor of the next page.

        No cursor: this is the last page. Live calls may be more than `at_most`.
        Raises StoreRefused: it cannot be read now.
        """

    async def start(self) -> None:
        """Raises StoreRefused; any other trouble makes it unhealthy, and it is tried again."""

    async def close(self) -> None:
        """Write what is not written yet, and release everything."""
