"""A client that signals as a page does, and has no media: many live calls that cost the test next to nothing.

Each has one call, with an offer that nobody stands behind: it is placed, answered, kept over the loss of the
connection, and hung up; no packet of sound ever goes through it.
"""

from ari_bridge_client import Call, Client, OfferOnlyMedia
from tests.offers import OFFER

SECONDS = 10.0
"""The longest that the far party may take to answer."""


class SilentClient(Client):
    """`call_id`, `outcome`: of its call; "" until there is one, and until it is told."""

    def __init__(self, ws_url: str, user: str) -> None:
        super().__init__(ws_url, user=user)
        self._placed: Call | None = None

    @property
    def call_id(self) -> str:
        return self._placed.id if self._placed else ""

    @property
    def outcome(self) -> str:
        return self._placed.outcome.value if self._placed and self._placed.outcome else ""

    async def place(self, target: str) -> None:
        """Calls a number; returns when it is answered. Raises ClientError."""
        self._placed = await self.call(target, media=OfferOnlyMedia(OFFER))
        await self._placed.wait_for("accepted", SECONDS)

    async def hang_up(self) -> None:
        """Returns when the end is told. Raises ClientError."""
        if self._placed:
            await self._placed.hangup()
