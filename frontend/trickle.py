"""A page's ICE candidates on their way to rtpengine.

They come while the offer is still being answered: kept until then, and passed on together. rtpengine works without
them (it learns the browser's addresses from the browser's checks), so what cannot be passed on is dropped.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ari_bridge.calls.state import Call, Fact
from ari_bridge.errors import PeerError, TooMany
from ari_bridge.ids import leg_id
from ari_bridge.media.candidate import read_candidate
from ari_bridge.media.sdp import candidate_fragment

MOST = 64
"""Candidates of one offer; a machine with many networks finds some 20."""
CALLS = 64
"""Calls of one page whose candidates are looked at; the oldest is forgotten."""

log = structlog.get_logger(__name__)


class Trickles(Protocol):
    """The rtpengines, or a fake."""

    async def trickle(self, leg: str, fragment: str) -> None:
        """More of the browser's candidates, for a leg that was answered. Raises PeerError."""


@dataclass
class _Found:
    """What was found since `offer`. `complete`: the browser will find no more."""

    offer: str
    taken: int = 0
    waiting: list[str] = field(default_factory=list)
    complete: bool = False


class Trickle:
    """Of one page. `take` and `answered` never wait."""

    def __init__(self, media: Trickles) -> None:
        self._media = media
        self._found: dict[str, _Found] = {}  # by call; oldest first
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, call: Call, candidate: str | None) -> None:
        """One candidate for the call's newest offer; None or "": there are no more. Raises InvalidRequest, TooMany."""
        value = read_candidate(candidate) if candidate else None
        found = self._of(call)
        if not candidate:
            found.complete = True
        elif found.taken >= MOST:
            raise TooMany(f"At most {MOST} candidates of one offer are taken.", field="candidate")
        found.taken += 1
        if value is not None:
            found.waiting.append(value)
        self.answered(call)

    def answered(self, call: Call) -> None:
        """Pass on what waits, if there is an answer to the call's newest offer."""
        found = self._found.get(call.id)
        if found is None or found.offer != call.offer or not found.waiting or Fact.MEDIA_ANSWERED not in call.facts:
            return
        fragment = candidate_fragment(found.offer, found.waiting, complete=found.complete)
        found.waiting = []
        if fragment is not None:
            task = asyncio.create_task(self._pass_on(leg_id(call.id, call.leg), fragment))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What is under way is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _of(self, call: Call) -> _Found:
        found = self._found.get(call.id)
        if found is None or found.offer != call.offer:
            self._found.pop(call.id, None)
            while len(self._found) >= CALLS:
                del self._found[next(iter(self._found))]
            found = self._found[call.id] = _Found(call.offer)
        return found

    async def _pass_on(self, leg: str, fragment: str) -> None:
        try:
            await self._media.trickle(leg, fragment)
        except PeerError as error:
            log.info("candidates were not passed on", leg=leg, reason=str(error))
