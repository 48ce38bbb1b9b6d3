"""A page's ICE candidates on their way to rtpengine.

rtpengine learns the browser's addresses from the browser's checks, so it is given time for that first; only where
nothing came through are candidates passed on, together. What cannot be passed on is dropped.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ari_bridge.errors import PeerError, TooMany
from ari_bridge.fsm.call import Call, Milestone
from ari_bridge.ids import leg_id
from ari_bridge.media.ice_candidate import read_candidate
from ari_bridge.media.sdp import with_candidates
from ari_bridge.tasks import TaskSet

CONNECTIVITY_TIMEOUT_S = 1.0
"""Seconds from the answer on for the browser's checks to arrive: more than twice round the world."""
MAX_CANDIDATES = 32
"""Candidates of one offer; a machine with many networks finds some 20."""
MAX_CALLS = 64
"""Calls of one page whose candidates are looked at; the oldest is forgotten."""

log = structlog.get_logger(__name__)


class Trickles(Protocol):
    """The rtpengines, or a fake."""

    async def trickle(self, leg: str, sdp: str) -> None:
        """The offer of a leg that was answered, with more candidates, unless it is reached. Raises PeerError."""


@dataclass
class _Found:
    """What was found since `offer`. `complete`: the browser will find no more."""

    offer: str
    taken: int = 0
    useful: list[str] = field(default_factory=list)
    told: int = 0  # of the useful ones, how many were passed on
    complete: bool = False
    due: float | None = None  # when candidates are passed on, by the event loop's time; None before the answer
    going: bool = False  # a task waits for that


class Trickle:
    """Of one page. `take` and `answered` never wait."""

    def __init__(self, media: Trickles) -> None:
        self._media = media
        self._found: dict[str, _Found] = {}  # by call; oldest first
        self._tasks = TaskSet()

    def take(self, call_id: str, offer: str, candidate: str | None) -> None:
        """One candidate found since this offer; None or "": there are no more. Raises InvalidRequest, TooMany."""
        value = read_candidate(candidate) if candidate else None
        found = self._of(call_id, offer)
        if not candidate:
            found.complete = True
        elif found.taken >= MAX_CANDIDATES:
            raise TooMany(f"At most {MAX_CANDIDATES} candidates of one offer are taken.", field="candidate")
        found.taken += 1
        if value is not None:
            found.useful.append(value)

    def answered(self, call: Call) -> None:
        """See to it that what was found is passed on, if there is an answer to the call's newest offer."""
        found = self._found.get(call.id)
        if found is None or found.offer != call.offer or Milestone.MEDIA_ANSWERED not in call.milestones:
            return
        if found.due is None:
            found.due = asyncio.get_running_loop().time() + CONNECTIVITY_TIMEOUT_S
        if len(found.useful) > found.told and not found.going:
            found.going = True
            self._tasks.start(self._pass_on(found, leg_id(call.id, call.leg), found.due))

    async def close(self) -> None:
        """What is under way is dropped."""
        await self._tasks.cancel()

    def _of(self, call_id: str, offer: str) -> _Found:
        found = self._found.get(call_id)
        if found is None or found.offer != offer:
            self._found.pop(call_id, None)
            while len(self._found) >= MAX_CALLS:
                del self._found[next(iter(self._found))]
            found = self._found[call_id] = _Found(offer)
        return found

    async def _pass_on(self, found: _Found, leg: str, due: float) -> None:
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        sdp = with_candidates(found.offer, found.useful, complete=found.complete)
        found.told, found.going = len(found.useful), False
        try:
            await self._media.trickle(leg, sdp)
        except PeerError as error:
            log.info("candidates were not passed on", leg=leg, reason=str(error))
