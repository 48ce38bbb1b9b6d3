"""Media legs prepared before their call is placed or accepted, so that no call waits for ICE, DTLS and external media.

Theory of operation
-------------------
* A page that is about to call, or that rings, sends its SDP offer early. Its leg is made as the call would make it,
  under the name that the call will give it, and exists outside of any bridge.
* `claim` (same call id, offer and page) hands the leg to the call, which has only ARI requests left to make. From then
  on the leg is the call's: nothing here releases it.
* A leg lives until it is claimed, at most UNUSED_TIMEOUT_S; it is released earlier if its page discards it, prepares
  another one or disconnects, its call ends or is accepted by another page, or its channel, its rtpengine or the PBX is
  lost. The page is notified, and its call starts as one without a prepared leg does.
* Each page has one leg at most, a user MAX_PREPARED_LEGS_PER_USER, all guests of a
  key MAX_PREPARED_LEGS_OF_GUESTS; each counts as a line (`admission`).
* Leg numbers are never reused, as the release of an earlier leg may be pending: first the page's own (outbound: 1, 2,
  ...; inbound: INBOUND_STEP per page), then those that the call makes itself.
* A leg is released only after its creation has come back: a release that overtook it would release nothing. What is
  left when the process ends is an orphan, and reaped by the next one's sweep (`reconciler`).
* Events of the channels and sessions of these legs come here first (`handle`), and only then to calls.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from ari_bridge import metrics
from ari_bridge.engine.ports import Backends
from ari_bridge.errors import PeerError, TooMany
from ari_bridge.fsm.call import LegRef, MediaLeg, Milestone, Resource, Step
from ari_bridge.fsm.events import ChannelDestroyed, Event, MediaLost, StasisEnded, StasisStarted
from ari_bridge.guest_names import counted_name, guest_key, shown_name
from ari_bridge.ids import leg_id, stem_of
from ari_bridge.tasks import TaskSet

UNUSED_TIMEOUT_S = 60.0
"""A leg that no call has claimed by then is released."""
MAX_PREPARED_LEGS_PER_USER = 4
"""Pages of one user that may have a prepared leg; further ones start without."""
MAX_PREPARED_LEGS_OF_GUESTS = 20
"""The same, of all guests of an API key, who have as many names as they like."""
INBOUND_STEP = 1000
"""Legs of ringing pages are numbered 1000, 2000, ...: legs that the call makes later have numbers in between."""
MAX_PREPARATIONS = 99
"""Legs ever prepared for one inbound call."""
MAX_REMEMBERED_CALLS = 10_000
"""Calls whose used leg numbers are remembered: of those never placed, the oldest are forgotten."""
RELEASE_TIMEOUT_S = 2.0
"""How long `close` waits for the releases."""

_REACHED = frozenset({Milestone.MEDIA_OFFERED, Milestone.EXTERNAL_MEDIA_CREATED, Milestone.MEDIA_ANSWERED})
_DONE = frozenset({Step.OFFER_MEDIA, Step.CREATE_EXTERNAL_MEDIA, Step.ANSWER_MEDIA})
_ALLOCATED = frozenset({Resource.MEDIA_SESSION, Resource.EXTERNAL_MEDIA})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LegReady:
    """The leg is ready. `sdp`: the answer to the page's offer."""

    call_id: str
    sdp: str


@dataclass(frozen=True, slots=True)
class LegDiscarded:
    """The call has no prepared leg (any more): it starts as any other does."""

    call_id: str
    reason: str


PrewarmListener = Callable[[LegReady | LegDiscarded], None]


@dataclass
class _Preparation:
    """One leg that is being made, or is ready."""

    call_id: str
    number: int
    session: str
    user: str | None
    offer: str
    listener: PrewarmListener
    leg: MediaLeg | None = None  # once it is ready
    entered: bool = False  # its channel's StasisStart came
    creation: asyncio.Task[None] | None = None
    expiry: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return leg_id(self.call_id, self.number)


class MediaPrewarmer:
    """Every prepared leg. Nothing here waits for a peer, except `close`."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._by_session: dict[str, _Preparation] = {}
        self._last_numbers: dict[str, int] = {}  # by call id
        self._releases = TaskSet()

    @property
    def names(self) -> set[str]:
        """Of the legs that are ready or being made: channel and rtpengine session."""
        return {one.name for one in self._by_session.values()}

    def prepare(
        self,
        call_id: str,
        *,
        inbound: bool,
        offer: str,
        prefer: str,
        session: str,
        user: str | None,
        listener: PrewarmListener,
    ) -> None:
        """Start to make a leg for the page `session`, replacing the one that it had. Raises TooMany."""
        before = self._by_session.get(session)
        if before and (before.call_id, before.offer) == (call_id, offer):
            return
        self._check_room(user, session)
        number = self._last_numbers.get(call_id, 0) + (INBOUND_STEP if inbound else 1)
        if number > INBOUND_STEP * MAX_PREPARATIONS:
            raise TooMany("So many pages have prepared for this call that no more can.", field="callId")
        self._last_numbers[call_id] = number
        if len(self._last_numbers) > MAX_REMEMBERED_CALLS:
            del self._last_numbers[next(iter(self._last_numbers))]
        self.discard(session)
        preparation = _Preparation(call_id, number, session, user, offer, listener)
        self._by_session[session] = preparation
        loop = asyncio.get_running_loop()
        preparation.creation = loop.create_task(self._create(preparation, prefer))
        preparation.expiry = loop.call_later(UNUSED_TIMEOUT_S, self._give_up, preparation, "it was not used in time")
        metrics.PREWARMED_LEGS.set(len(self._by_session))

    def _check_room(self, user: str | None, session: str) -> None:
        """Raises TooMany."""
        counted = user and counted_name(user)
        most = MAX_PREPARED_LEGS_OF_GUESTS if user and guest_key(user) else MAX_PREPARED_LEGS_PER_USER
        others = (one.user and counted_name(one.user) for one in self._by_session.values() if one.session != session)
        if sum(other == counted for other in others) >= most:
            raise TooMany(f"{counted} has {most} legs ahead of calls already.", field="callId")

    def claim(self, call_id: str, *, offer: str, session: str | None) -> MediaLeg | None:
        """The page's leg for the call, which owns it from now on; None if there is none that is ready."""
        one = self._by_session.get(session or "")
        if one is None or one.leg is None or (one.call_id, one.offer) != (call_id, offer):
            return None
        self._remove(one)
        metrics.PREWARMED_LEGS_USED.inc()
        entered = {Milestone.EXTERNAL_MEDIA_ENTERED} if one.entered else set()
        return msgspec.structs.replace(one.leg, milestones=_REACHED | entered)

    def first_number(self, call_id: str) -> int:
        """The number of the first leg that the call makes itself."""
        return self._last_numbers.get(call_id, 0) + 1

    def discard(self, session: str) -> None:
        """The page does not need its leg any more."""
        if one := self._by_session.get(session):
            self._remove(one)
            self._releases.start(self._release(one))

    def discard_call(self, call_id: str) -> None:
        """The call has ended, or another page has it."""
        self._last_numbers.pop(call_id, None)
        for one in [one for one in self._by_session.values() if one.call_id == call_id]:
            self._remove(one)
            self._releases.start(self._release(one))

    def id_of(self, stem: str) -> str | None:
        """The id of the call that a leg named after the stem is prepared for."""
        return next((one.call_id for one in self._by_session.values() if stem_of(one.call_id) == stem), None)

    def on_pbx_lost(self, reason: str) -> None:
        """The PBX is gone, and all its channels."""
        for one in list(self._by_session.values()):
            self._give_up(one, reason)

    def handle(self, call_id: str, event: Event) -> bool:
        """Whether the event of a channel, or of a session, was about one of these legs."""
        if not self._by_session or not isinstance(event, StasisStarted | StasisEnded | ChannelDestroyed | MediaLost):
            return False
        target = LegRef(event.leg) if isinstance(event, MediaLost) else event.target
        legs = self._by_session.values()
        one = next((one for one in legs if (one.call_id, LegRef(one.number)) == (call_id, target)), None)
        if one is None:
            return False
        if isinstance(event, StasisStarted):
            one.entered = True
        else:
            self._give_up(one, "its channel, or its rtpengine, is gone")
        return True

    async def close(self) -> None:
        """Release all, within RELEASE_TIMEOUT_S; the next process reaps what is left then."""
        for session in list(self._by_session):
            self.discard(session)
        await self._releases.wait(RELEASE_TIMEOUT_S)
        await self._releases.cancel()

    # --- creating and releasing ---------------------------------------------------------

    async def _create(self, one: _Preparation, prefer: str) -> None:
        ari, media = self._backends.ari, self._backends.media
        started = time.monotonic()
        try:
            media_address = await media.offer(one.name, one.offer, prefer)
            external = await ari.channels.external_media(one.name, media_address, caller=shown_name(one.user or ""))
            answer = await media.answer(one.name, external)
        except PeerError as error:
            self._give_up(one, str(error))
            return
        except Exception as error:
            log.exception("preparing a leg raised", call=one.call_id)
            self._give_up(one, repr(error))
            return
        one.leg = MediaLeg(one.number, one.offer, answer, media_address, external, started=_DONE, allocated=_ALLOCATED)
        if self._by_session.get(one.session) is not one:
            return  # discarded meanwhile: its release waits for this
        log.debug("a leg is prepared", call=one.call_id, seconds=round(time.monotonic() - started, 3))
        self._notify(one, LegReady(one.call_id, answer))

    def _give_up(self, one: _Preparation, reason: str) -> None:
        if self._by_session.get(one.session) is not one:
            return
        log.info("a prepared leg is given up", call=one.call_id, reason=reason)
        self._remove(one)
        self._releases.start(self._release(one))
        self._notify(one, LegDiscarded(one.call_id, reason))

    def _remove(self, one: _Preparation) -> None:
        del self._by_session[one.session]
        if one.expiry:
            one.expiry.cancel()
        metrics.PREWARMED_LEGS.set(len(self._by_session))

    async def _release(self, one: _Preparation) -> None:
        """Whatever was made of it, or may have been made; what fails here is left to the sweep."""
        if one.creation:
            await asyncio.gather(one.creation, return_exceptions=True)
        for release in (self._backends.ari.channels.hangup(one.name), self._backends.media.delete(one.name)):
            try:
                await release
            except PeerError as error:
                log.warning("releasing a prepared leg failed", name=one.name, reason=str(error))

    def _notify(self, one: _Preparation, result: LegReady | LegDiscarded) -> None:
        try:
            one.listener(result)
        except Exception:
            log.exception("a listener failed")
