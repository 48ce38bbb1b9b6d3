"""One call: what is asked of it, what it tells, and its sound."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ari_bridge_client import events as happens
from ari_bridge_client.connection import refused
from ari_bridge_client.errors import ClientError, ConnectionLost, MediaUnavailable, Refused, WaitTimeout
from ari_bridge_client.events import CallEvent, EventLog
from ari_bridge_client.media import Media, MediaStats
from ari_bridge_client.retry import backoff, wait_after
from ari_bridge_protocol import messages
from ari_bridge_protocol.messages import ClientMessage, IceServer, ServerMessage
from ari_bridge_protocol.outcomes import Outcome

if TYPE_CHECKING:
    from ari_bridge_client.audio import ReceivedAudio

ANSWER_SECONDS = 15.0  # the server's own set-up timeout comes first
HANGUP_SECONDS = 10.0
FAR = 1  # the party that was called, or has called
_RANK = {"trying": 0, "ringing": 1, "early": 2, "accepted": 3, "ended": 4}
Issue = Literal["echo", "choppy", "one_way", "delay", "noise", "dropped"]


class Line(Protocol):
    """What a call needs of its client. All raise ConnectionLost."""

    @property
    def ice_servers(self) -> Sequence[IceServer]:
        """What the next media connection is to use."""

    async def send(self, message: ClientMessage) -> None: ...

    async def ask(self, message: ClientMessage) -> None:
        """As `Connection.ask`."""


class Call:
    """Made by `Client`. `media` is None for a call whose sound is made elsewhere: it can be commanded all the same."""

    def __init__(self, line: Line, call_id: str, media: Media | None) -> None:
        self.id = call_id
        self.media = media
        self.history: list[messages.ClientState] = []  # the states as they came, each once
        self.outcome: Outcome | None = None  # once it has ended; None also where nobody could tell
        self.end: happens.Ended | happens.Failed | None = None
        self.held = False  # by our side
        self.held_by_far = False
        self.muted = False
        self.parties: dict[int, happens.Party] = {}  # by their number, as told last
        self.connected_number = ""  # who is there, where the PBX tells it; "": as dialled, or as called
        self.connected_name = ""
        self.recording = happens.Recording("off")
        self.digits = ""  # pressed by the far side
        self.sdp_offer = ""
        self.sdp_answer = ""
        self.taken_over = False  # another page of the user holds the call now; its media is closed here
        self._unheard = False  # the connection was lost since the last offer
        self._line = line
        self._log = EventLog()
        self._away = False  # the connection is lost
        self._refused: Refused | None = None  # why the last offer was not taken
        self._broken: ClientError | None = None  # why nothing more is told of the call
        self._renewing: asyncio.Task[None] | None = None

    # --- how it stands -------------------------------------------------------------

    @property
    def state(self) -> messages.ClientState:
        return self.history[-1] if self.history else "trying"

    @property
    def ended(self) -> bool:
        return "ended" in self.history

    @property
    def heard(self) -> "ReceivedAudio":
        """The last ten seconds of what is heard. Raises MediaUnavailable."""
        heard: ReceivedAudio | None = getattr(self.media, "heard", None)
        if heard is None:
            raise MediaUnavailable(self.id)
        return heard

    async def events(self) -> AsyncIterator[CallEvent]:
        """All that happens, from the beginning of the call on, each once and in order; ends after the call's end.

        Any number of readers, each at its own pace; the last `events.KEPT` are kept for the slow (`Missed`).
        Raises what broke the client where the end of the call will not be told.
        """
        async for event in self._log.read(lambda: self._broken):
            yield event

    async def wait(self, name: str, timeout: float = 5.0) -> CallEvent:  # noqa: ASYNC109
        """The newest event of that name (`events.NAMES`), or the next where there was none; `ended`: also `failed`.

        Raises WaitTimeout as soon as it cannot come any more, and what broke the client.
        """
        if name not in happens.NAMES:
            raise ValueError(f"there is no event {name!r}, but {', '.join(sorted(happens.NAMES))}")
        names = ("ended", "failed") if name == "ended" else (name,)
        found: list[CallEvent] = []

        def look() -> bool:
            found[:] = self._log.latest(*names)
            return bool(found)

        await self.until(look, name, timeout)
        return found[-1]

    async def until(self, condition: Callable[[], Any], what: str, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Until `condition()` holds, looked at with every event. Raises as `wait` does."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._broken:
                        raise self._broken
                    if self.ended:
                        raise WaitTimeout(f"{self}: ended without {what}")
                    await self._log.change()
        except TimeoutError:
            raise WaitTimeout(f"{self}: no {what} within {timeout:g} s") from None

    async def get_stats(self) -> MediaStats:
        """Raises MediaUnavailable."""
        return await self._sound().stats()

    def __str__(self) -> str:
        end = f" ({self.outcome.value}: {self.end.reason})" if self.outcome and self.end else ""
        return f"call {self.id}, states {' → '.join(self.history) or 'none'}{end}"

    # --- what is asked of it: each raises Refused, WaitTimeout, ConnectionLost ---------------

    async def hangup(self) -> None:
        """Hang up and wait for the end. Nothing where it has ended already."""
        if not self.ended:
            await self._line.ask(messages.Hangup(self.id))
            await self.wait("ended", HANGUP_SECONDS)

    async def hold(self) -> None:
        """The others hear music, and nothing is heard of them. Returns when it is so."""
        await self._line.ask(messages.Hold(self.id, True))
        await self.until(lambda: self.held, "hold")

    async def unhold(self) -> None:
        await self._line.ask(messages.Hold(self.id, False))
        await self.until(lambda: not self.held, "end of the hold")

    def mute(self) -> None:
        """Send silence from now on. Raises MediaUnavailable."""
        self._mute(True)

    def unmute(self) -> None:
        """Raises MediaUnavailable."""
        self._mute(False)

    async def send_dtmf(self, digits: str) -> None:
        """`digits`: 0-9 * # A-D, at most 32."""
        await self._line.ask(messages.Dtmf(self.id, digits))

    async def transfer(self, target: str) -> None:
        """Blind: give the other party to that number. Then `Transferred` and `Ended` come, or `TransferFailed`."""
        await self._line.ask(messages.Transfer(self.id, target))

    async def attended_transfer(self, other: "Call") -> None:
        """Connect the other parties of both calls; both end here."""
        await self._line.ask(messages.Transfer(self.id, to_call_id=other.id))

    async def add_party(self, target: str) -> None:
        """A conference: that number is called, and joins when it answers."""
        await self._line.ask(messages.AddParty(self.id, target))

    async def merge(self, other: "Call") -> None:
        """A conference: the other party of that call joins at once, and that call ends here."""
        await self._line.ask(messages.AddParty(self.id, from_call_id=other.id))

    async def drop_party(self, party: int) -> None:
        """Let one go, by the number of its `Party`; of the target of a transfer: take the transfer back."""
        await self._line.ask(messages.DropParty(self.id, party))

    async def leave(self) -> None:
        """Leave; the others, of whom there must be two, go on. Returns when it is so."""
        await self._line.ask(messages.Leave(self.id))
        await self.wait("ended")

    async def record(self, action: Literal["start", "pause", "resume", "stop"] = "start") -> None:
        """Returns when it is so."""
        await self._line.ask(messages.Record(self.id, action))
        state = {"start": "on", "pause": "paused", "resume": "on", "stop": "off"}[action]
        await self.until(lambda: self.recording.state == state, f"{action} of the recording")

    async def post_feedback(self, score: int, issue: Issue | None = None, comment: str = "") -> None:
        """What the user thought of it, `score` 1 (bad) to 5; once the call has ended, within a day."""
        await self._line.ask(messages.Feedback(self.id, score, issue, comment))

    async def renew(self) -> None:
        """New media for the call that stands, by a new offer. Raises MediaUnavailable also."""
        await self.offer()
        await self.answered()

    # --- used by Client --------------------------------------------------------------

    async def offer(self, *, target: str | None = None, **fields: Any) -> None:
        """Send an offer of new media; `fields` of the message beside. Raises MediaUnavailable, ConnectionLost."""
        self._refused, self.sdp_answer, self._unheard = None, "", False
        self.sdp_offer = await self._sound().offer(self._line.ice_servers)
        await self._line.send(messages.Offer(sdp=self.sdp_offer, target=target, call_id=self.id, **fields))

    async def answered(self) -> None:
        """Wait for the SDP answer, or the end, and connect the media. Raises Refused also."""
        done = lambda: self.sdp_answer or self.ended or self._refused or self._unheard  # noqa: E731
        await self.until(done, "SDP answer", ANSWER_SECONDS)
        if self._refused:
            raise self._refused
        if self._unheard and not self.ended and not self.sdp_answer:
            raise ConnectionLost(reason="it was lost before the SDP answer came")
        if self.sdp_answer:
            await self._sound().answer(self.sdp_answer)

    def take(self, message: ServerMessage) -> None:
        match message:
            case messages.Answer(sdp=sdp):
                self.sdp_answer = sdp
            case messages.State():
                self._enter(message)
            case messages.Hold(held=held, by=by):
                self._hold(held, by)
            case messages.Party():
                party = happens.Party(
                    message.party, message.number, message.name, message.state, message.outcome, message.reason
                )
                self._party(party)
            case messages.Transferred(target=target):
                self._log.add(happens.Transferred(target))
            case messages.TransferFailed(target=target, outcome=outcome, reason=reason):
                self._log.add(happens.TransferFailed(target, outcome, reason))
            case messages.Recording(state=state, name=name, reason=reason):
                self._record(happens.Recording(state, name, reason))
            case messages.Dtmf(digits=digits):
                self.digits += digits
                self._log.add(happens.Dtmf(digits))
            case messages.MediaLost(reason=reason):
                if self.media and (self._renewing is None or self._renewing.done()):
                    self._renewing = asyncio.create_task(self._renew_until_it_works(reason))
            case messages.TakenOver():
                self.taken_over = True
                self._stop_media()
                self._log.add(happens.TakenOver())
            case messages.Error():
                self._refused = refused(message)
        self._log.wake()

    def reconnecting(self, reason: str) -> None:
        """The connection is lost, and is being made again."""
        self._unheard = True
        if not self._away:
            self._away = True
            self._log.add(happens.Reconnecting("signalling", reason))

    def reconnected(self) -> None:
        """On another connection, whether the one before was lost or given up."""
        self._broken = None
        if self._away:
            self._away = False
            self._log.add(happens.Reconnected("signalling"))

    def break_off(self, error: ClientError) -> None:
        """Nothing more will be told of it, unless there is another connection."""
        self._broken = error
        self._log.wake()

    def catch_up(self, summary: messages.CallSummary) -> None:
        """How the call stands now, where what happened was not told."""
        self._broken = None
        self._connect(summary.connected_number, summary.connected_name)
        self._enter_state(summary.state, at=summary.answered_at or 0.0)
        if summary.held != self.held:
            self._hold(summary.held, "us")
        if summary.held_by_far != self.held_by_far:
            self._hold(summary.held_by_far, "far")
        if summary.recording != self.recording.state:
            self._record(happens.Recording(summary.recording, self.recording.recording))
        for one in summary.parties:
            party = happens.Party(one.party, one.number, one.name, one.state)
            if self.parties.get(one.party) != party:
                self._party(party)
        here = {one.party for one in summary.parties}
        for gone in [each for each in self.parties.values() if each.state != "ended" and each.party not in here]:
            self._party(replace(gone, state="ended"))
        self._log.wake()

    def over(self, outcome: Outcome | None, reason: str, *, accepted: bool, at: float = 0.0) -> None:
        """It has ended meanwhile."""
        if accepted:
            self._enter_state("accepted")
        self._end(outcome, reason, at=at)

    async def close(self) -> None:
        """Stop the media; the call itself is the server's."""
        if self._renewing:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        if self.media:
            await self.media.close()

    # --- inside --------------------------------------------------------------------

    def _enter(self, message: messages.State) -> None:
        self._connect(message.connected_number, message.connected_name)
        if message.state == "ended":
            self._end(message.outcome, message.reason, message.q850, message.sip, message.at)
        else:
            self._enter_state(message.state, at=message.at)

    def _enter_state(self, state: messages.ClientState, at: float = 0.0) -> None:
        """Forwards alone: what is told twice, or late, is not told again."""
        if self.history and _RANK[state] <= _RANK[self.history[-1]]:
            return
        self.history.append(state)
        match state:
            case "ringing":
                self._log.add(happens.Ringing(at))
            case "early":
                self._log.add(happens.Early(at))
            case "accepted":
                self._log.add(happens.Accepted(at))

    def _end(self, outcome: Outcome | None, reason: str, q850: int = 0, sip: int = 0, at: float = 0.0) -> None:
        if self.ended:
            return
        kind = happens.Ended if outcome in happens.AS_WANTED else happens.Failed
        self.history.append("ended")
        self.outcome, self.end = outcome, kind(outcome, reason, q850, sip, at)
        self._stop_media()
        self._log.add(self.end)

    def _hold(self, held: bool, by: Literal["us", "far"]) -> None:
        if by == "us":
            self.held = held
        else:
            self.held_by_far = held
        self._log.add(happens.Hold(held, by))

    def _connect(self, number: str, name: str) -> None:
        if number:
            self.connected_number, self.connected_name = number, name

    def _party(self, party: happens.Party) -> None:
        if party.party == FAR and party.state != "ended":
            self._connect(party.number, party.display_name)
        self.parties[party.party] = party
        self._log.add(party)

    def _record(self, recording: happens.Recording) -> None:
        self.recording = recording
        self._log.add(recording)

    def _mute(self, muted: bool) -> None:
        self._sound().mute(muted)
        if muted is not self.muted:
            self.muted = muted
            self._log.add(happens.Mute(muted))

    def _sound(self) -> Media:
        if self.media is None:
            raise MediaUnavailable(self.id)
        return self.media

    def _stop_media(self) -> None:
        if self.media:
            self.media.stop()

    async def _renew_until_it_works(self, reason: str) -> None:
        """The server may have no media to give at this moment."""
        self._log.add(happens.Reconnecting("media", reason))
        for pause in backoff():
            if self.ended or self.taken_over:
                return
            try:
                await self.renew()
            except ClientError as error:
                await asyncio.sleep(wait_after(error, pause))
            else:
                self._log.add(happens.Reconnected("media"))
                return
