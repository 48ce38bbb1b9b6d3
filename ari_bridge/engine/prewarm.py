"""Media legs made ahead of their calls: ICE, DTLS and the external media are paid before anybody waits for them.

A page that is about to call, or that rings, gives its SDP offer early. Its leg is made as a call's would be, under the
name that the call will give it, and stands outside of any bridge. When the call is placed or accepted with the same
offer the leg becomes the call's, and what is left to do is ARI alone. What is not used is released.
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from ari_bridge import metrics
from ari_bridge.engine.ports import Backends
from ari_bridge.errors import PeerError, TooMany
from ari_bridge.fsm.call import PreparedLeg, Resource
from ari_bridge.fsm.events import ChannelEntered, ChannelGone, ChannelLeft, Event, MediaLost
from ari_bridge.ids import leg_id, stem_of
from ari_bridge.tasks import TaskSet

UNUSED_SECONDS = 60.0
"""A leg that no call has taken by then is released."""
LEGS_PER_USER = 4
"""Pages of one user that may have one each; more are told to begin without."""
INBOUND_STEP = 1000
"""Legs for pages that ring are numbered 1000, 2000, ...: those that the call may make later have numbers between."""
PAGES = 99
"""Legs that may ever be made ahead for one inbound call."""
REMEMBERED = 10_000
"""Calls of which it is known what numbers they have used up: those that never came are forgotten, the oldest first."""
RELEASE_SECONDS = 2.0
"""How long `close` waits for the releases."""

Listener = Callable[["Told"], None]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LegReady:
    """The leg stands. `sdp`: the answer to the page's offer."""

    call_id: str
    sdp: str


@dataclass(frozen=True, slots=True)
class LegDiscarded:
    """There is no leg ahead of the call (any more): it begins as any other does."""

    call_id: str
    reason: str


Told = LegReady | LegDiscarded


@dataclass
class _PreparedLeg:
    """One leg, being made or standing."""

    call_id: str
    number: int
    session: str
    user: str | None
    offer: str
    listener: Listener
    leg: PreparedLeg | None = None  # once it stands
    entered: bool = False
    work: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return leg_id(self.call_id, self.number)


@dataclass
class MediaPrewarmer:
    """All of them. Nothing here waits for a peer, except `close`."""

    peers: Backends
    _ahead: dict[str, _PreparedLeg] = field(default_factory=dict)  # by the page's session: each has one at most
    _numbers: dict[str, int] = field(default_factory=dict)  # call id → the last number given out
    _releases: TaskSet = field(default_factory=TaskSet)

    @property
    def names(self) -> set[str]:
        """Of the legs that stand or are being made: channel and rtpengine session."""
        return {ahead.name for ahead in self._ahead.values()}

    def make(
        self,
        call_id: str,
        *,
        inbound: bool,
        offer: str,
        prefer: str,
        session: str,
        user: str | None,
        listener: Listener,
    ) -> None:
        """Begin to make a leg for the page `session`, in place of the one that it had. Raises TooMany."""
        before = self._ahead.get(session)
        if before and (before.call_id, before.offer) == (call_id, offer):
            return
        if sum(ahead.user == user for ahead in self._ahead.values() if ahead.session != session) >= LEGS_PER_USER:
            raise TooMany(f"{user} has {LEGS_PER_USER} legs ahead of calls already.", field="callId")
        number = self._numbers.get(call_id, 0) + (INBOUND_STEP if inbound else 1)
        if number > INBOUND_STEP * PAGES:
            raise TooMany("So many pages have prepared for this call that no more can.", field="callId")
        self._numbers[call_id] = number
        if len(self._numbers) > REMEMBERED:
            del self._numbers[next(iter(self._numbers))]
        self.drop(session)
        ahead = _PreparedLeg(call_id, number, session, user, offer, listener)
        self._ahead[session] = ahead
        ahead.work = asyncio.get_running_loop().create_task(self._make(ahead, prefer))
        ahead.timer = asyncio.get_running_loop().call_later(
            UNUSED_SECONDS, self._cool, ahead, "it was not used in time"
        )
        metrics.PREWARMED_LEGS.set(len(self._ahead))

    def take(self, call_id: str, *, offer: str, session: str | None) -> PreparedLeg | None:
        """The page's leg for the call, which is the call's from now on; None where none stands whole."""
        ahead = self._ahead.get(session or "")
        if ahead is None or ahead.leg is None or (ahead.call_id, ahead.offer) != (call_id, offer):
            return None
        self._forget(ahead)
        metrics.PREWARMED_LEGS_USED.inc()
        return dataclasses.replace(ahead.leg, entered=ahead.entered)

    def first_number(self, call_id: str) -> int:
        """The number of the first leg that a call makes by itself. No name comes twice: a release may be under way."""
        return self._numbers.get(call_id, 0) + 1

    def drop(self, session: str) -> None:
        """The page wants its leg no more."""
        if ahead := self._ahead.get(session):
            self._forget(ahead)
            self._release(ahead)

    def drop_call(self, call_id: str) -> None:
        """The call has ended, or another page has it."""
        self._numbers.pop(call_id, None)
        for ahead in [one for one in self._ahead.values() if one.call_id == call_id]:
            self._forget(ahead)
            self._release(ahead)

    def id_of(self, stem: str) -> str | None:
        """The id of the call ahead of which there is a leg whose name begins with the stem."""
        return next((one.call_id for one in self._ahead.values() if stem_of(one.call_id) == stem), None)

    def lose(self, reason: str) -> None:
        """The PBX is gone, and all its channels."""
        for ahead in list(self._ahead.values()):
            self._cool(ahead, reason)

    def hear(self, call_id: str, event: Event) -> bool:
        """Whether what happened to a channel, or a session, was about one of these legs."""
        if not self._ahead or not isinstance(event, ChannelEntered | ChannelLeft | ChannelGone | MediaLost):
            return False
        ahead = next((one for one in self._ahead.values() if (one.call_id, one.number) == (call_id, event.leg)), None)
        if ahead is None or (not isinstance(event, MediaLost) and event.resource is not Resource.EXTERNAL_MEDIA):
            return False
        if isinstance(event, ChannelEntered):
            ahead.entered = True
        else:
            self._cool(ahead, "its channel, or its rtpengine, is gone")
        return True

    async def close(self) -> None:
        """Release all, within RELEASE_SECONDS; what is left then is reaped by whoever serves next."""
        for session in list(self._ahead):
            self.drop(session)
        await self._releases.wait(RELEASE_SECONDS)
        await self._releases.cancel()

    # --- how it is done -----------------------------------------------------------------

    async def _make(self, ahead: _PreparedLeg, prefer: str) -> None:
        ari, media = self.peers.ari, self.peers.media
        began = time.monotonic()
        try:
            media_address = await media.offer(ahead.name, ahead.offer, prefer)
            external = await ari.channels.external_media(ahead.name, media_address, caller=ahead.user or "")
            answer = await media.answer(ahead.name, external)
        except PeerError as error:
            self._cool(ahead, str(error))
            return
        except Exception as error:
            log.exception("a leg ahead of a call broke", call=ahead.call_id)
            self._cool(ahead, repr(error))
            return
        ahead.leg = PreparedLeg(ahead.number, media_address, external, answer)
        if self._ahead.get(ahead.session) is not ahead:
            return  # it is to be released
        log.debug("a leg stands ahead of its call", call=ahead.call_id, seconds=round(time.monotonic() - began, 3))
        self._tell(ahead, LegReady(ahead.call_id, answer))

    def _cool(self, ahead: _PreparedLeg, reason: str) -> None:
        if self._ahead.get(ahead.session) is not ahead:
            return
        log.info("a leg ahead of a call is given up", call=ahead.call_id, reason=reason)
        self._forget(ahead)
        self._release(ahead)
        self._tell(ahead, LegDiscarded(ahead.call_id, reason))

    def _forget(self, ahead: _PreparedLeg) -> None:
        del self._ahead[ahead.session]
        if ahead.timer:
            ahead.timer.cancel()
        metrics.PREWARMED_LEGS.set(len(self._ahead))

    def _release(self, ahead: _PreparedLeg) -> None:
        self._releases.start(self._released(ahead))

    async def _released(self, ahead: _PreparedLeg) -> None:
        """Whatever of it was made, or perhaps made; a failure is the sweep's to mend.

        What is being made is waited for, which has deadlines: Asterisk would make it after its release.
        """
        if ahead.work:
            await asyncio.gather(ahead.work, return_exceptions=True)
        for release in (self.peers.ari.channels.hangup(ahead.name), self.peers.media.delete(ahead.name)):
            try:
                await release
            except PeerError as error:
                log.warning("a leg ahead of a call could not be released", name=ahead.name, reason=str(error))

    def _tell(self, ahead: _PreparedLeg, told: Told) -> None:
        try:
            ahead.listener(told)
        except Exception:
            log.exception("a listener failed")
