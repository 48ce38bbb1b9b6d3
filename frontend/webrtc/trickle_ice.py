"""Trickle ICE: passes a page's ICE candidates on to rtpengine.

rtpengine learns the browser's addresses from the browser's connectivity checks (peer-reflexive candidates), so it gets
time for that first. Only if no check arrives are the candidates passed on, in one message. What fails is dropped.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ari_bridge.errors import PeerError, TooMany
from ari_bridge.fsm.call import Call, Milestone
from ari_bridge.media.ice_candidate import read_candidate
from ari_bridge.media.sdp import with_candidates
from ari_bridge.tasks import TaskSet

CONNECTIVITY_TIMEOUT_S = 1.0
"""How long after the answer the browser's checks may take: more than twice the longest round trip on earth."""
MAX_CANDIDATES = 32
"""Candidates of one offer; a machine with many networks finds some 20."""
MAX_CALLS = 64
"""Calls of one page whose candidates are kept; if there are more, the oldest is forgotten."""

log = structlog.get_logger(__name__)


class Trickles(Protocol):
    """The rtpengines, or a fake."""

    async def trickle(self, leg: str, sdp: str) -> None:
        """Send the offer of an answered leg again, with more candidates, unless ICE is connected. Raises PeerError."""


@dataclass
class _Candidates:
    """The candidates of one offer. `complete`: the browser has sent end-of-candidates."""

    offer: str
    received: int = 0
    usable: list[str] = field(default_factory=list)
    sent: int = 0  # how many of the usable ones were passed on
    complete: bool = False
    due: float | None = None  # when candidates are passed on, by the event loop's time; None before the answer
    scheduled: bool = False  # a task waits for `due`


class Trickle:
    """The candidates of one page's calls. `take` and `answered` never wait.

    Args:
        media: The rtpengines.
    """

    def __init__(self, media: Trickles) -> None:
        self._media = media
        self._of_call: dict[str, _Candidates] = {}  # by call id; oldest first
        self._tasks = TaskSet()

    def take(self, call_id: str, offer: str, candidate: str | None) -> None:
        """One candidate of this offer; None or "": end of candidates. Raises InvalidRequest, TooMany."""
        value = read_candidate(candidate) if candidate else None
        candidates = self._of(call_id, offer)
        if not candidate:
            candidates.complete = True
        elif candidates.received >= MAX_CANDIDATES:
            raise TooMany(f"At most {MAX_CANDIDATES} candidates of one offer are accepted.", field="candidate")
        candidates.received += 1
        if value is not None:
            candidates.usable.append(value)

    def answered(self, call: Call) -> None:
        """If the call's newest offer was answered, schedule passing on its candidates."""
        candidates = self._of_call.get(call.id)
        if candidates is None or candidates.offer != call.offer or Milestone.MEDIA_ANSWERED not in call.reached:
            return
        if candidates.due is None:
            candidates.due = asyncio.get_running_loop().time() + CONNECTIVITY_TIMEOUT_S
        if len(candidates.usable) > candidates.sent and not candidates.scheduled:
            candidates.scheduled = True
            self._tasks.start(self._pass_on(candidates, call.near_channel, candidates.due))

    async def close(self) -> None:
        """Candidates that were not passed on yet are dropped."""
        await self._tasks.cancel()

    def _of(self, call_id: str, offer: str) -> _Candidates:
        candidates = self._of_call.get(call_id)
        if candidates is None or candidates.offer != offer:
            self._of_call.pop(call_id, None)
            while len(self._of_call) >= MAX_CALLS:
                del self._of_call[next(iter(self._of_call))]
            candidates = self._of_call[call_id] = _Candidates(offer)
        return candidates

    async def _pass_on(self, candidates: _Candidates, leg: str, due: float) -> None:
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        sdp = with_candidates(candidates.offer, candidates.usable, complete=candidates.complete)
        candidates.sent, candidates.scheduled = len(candidates.usable), False
        try:
            await self._media.trickle(leg, sdp)
        except PeerError as error:
            log.info("candidates were not passed on", leg=leg, reason=str(error))
