"""One call: its commands, its events, and its media."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ari_bridge_client import events as call_events
from ari_bridge_client.connection import refusal_of
from ari_bridge_client.errors import ClientError, ConnectionLost, MediaUnavailable, Refused, WaitTimeout
from ari_bridge_client.events import CallEvent, EventLog
from ari_bridge_client.media import Media, MediaStats
from ari_bridge_client.retry import backoff, wait_after
from ari_bridge_protocol import messages
from ari_bridge_protocol.messages import ClientMessage, IceServer, ServerMessage
from ari_bridge_protocol.outcomes import Outcome

if TYPE_CHECKING:
    from ari_bridge_client.audio import ReceivedAudio

ANSWER_TIMEOUT_S = 15.0  # the server's own set-up timeout comes first
HANGUP_TIMEOUT_S = 10.0
FAR_PARTY = 1  # the number of the party that was called, or has called
_RANK = {"trying": 0, "ringing": 1, "early": 2, "accepted": 3, "ended": 4}
Issue = Literal["echo", "choppy", "one_way", "delay", "noise", "dropped"]


class Signaling(Protocol):
    """What a call needs of its client. All raise ConnectionLost."""

    @property
    def ice_servers(self) -> Sequence[IceServer]:
        """Those that the next media connection uses."""

    async def send(self, message: ClientMessage) -> None: ...

    async def request(self, message: ClientMessage) -> None:
        """As `Connection.request`."""


class Call:
    """A call in progress, or one that has ended. Made by `Client`.

    Args:
        signaling: The client.
        call_id: The call's id.
        media: The call's media. None: they are elsewhere; the call can be controlled all the same.

    Attributes:
        outcome: How it ended; None before the end, and if nothing is known of how it ended.
        parties: By their numbers: who was called, or has called, is 1.
        connected_number: Who is on the line, if the PBX says so; "": the number that was dialled, or that called.
        received_digits: The keys that the other side has pressed.
        taken_over: Another client of the user has the call now. Its media here are closed.
    """

    def __init__(self, signaling: Signaling, call_id: str, media: Media | None) -> None:
        self.id = call_id
        self.media = media
        self.state_history: list[messages.ClientState] = []  # each state once
        self.outcome: Outcome | None = None
        self.end_event: call_events.Ended | call_events.Failed | None = None
        self.held = False  # by our side
        self.held_by_far = False
        self.muted = False
        self.parties: dict[int, call_events.Party] = {}
        self.connected_number = ""
        self.connected_name = ""
        self.recording = call_events.Recording("off")
        self.received_digits = ""
        self.sdp_offer = ""
        self.sdp_answer = ""
        self.taken_over = False
        self._offer_lost = False  # the connection was lost since the last offer
        self._signaling = signaling
        self._log = EventLog()
        self._disconnected = False
        self._refused: Refused | None = None  # why the last offer was refused
        self._failure: ClientError | None = None  # why there will be no more events
        self._media_renewal: asyncio.Task[None] | None = None

    # --- state and events -----------------------------------------------------------

    @property
    def state(self) -> messages.ClientState:
        return self.state_history[-1] if self.state_history else "trying"

    @property
    def ended(self) -> bool:
        return "ended" in self.state_history

    @property
    def received_audio(self) -> "ReceivedAudio":
        """The last ten seconds of what was received. Raises MediaUnavailable."""
        received: ReceivedAudio | None = getattr(self.media, "received_audio", None)
        if received is None:
            raise MediaUnavailable(self.id)
        return received

    async def events(self) -> AsyncIterator[CallEvent]:
        """All events of the call from its beginning, each once and in order; the iterator ends after the call's end.

        Any number of readers may iterate, each at its own pace. The last `events.MAX_EVENTS` are kept; a slower
        reader gets a `Missed`. Raises ClientError if the client has failed, so that the call's end will not come.
        """
        async for event in self._log.read(lambda: self._failure):
            yield event

    async def wait_for(self, name: str, timeout: float = 5.0) -> CallEvent:  # noqa: ASYNC109
        """The newest event of a name, or the next if there was none.

        Args:
            name: One of `events.EVENT_NAMES`; `ended` waits for `failed` too.
            timeout: Seconds.

        Raises WaitTimeout, as soon as the event cannot come any more, and what has made the client fail.
        """
        if name not in call_events.EVENT_NAMES:
            raise ValueError(f"there is no event {name!r}, but {', '.join(sorted(call_events.EVENT_NAMES))}")
        names = ("ended", "failed") if name == "ended" else (name,)
        found: list[CallEvent] = []

        def look() -> bool:
            found[:] = self._log.latest(*names)
            return bool(found)

        await self.wait_until(look, name, timeout)
        return found[-1]

    async def wait_until(self, condition: Callable[[], Any], what: str, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Wait until `condition()` is true; it is checked with every event.

        Args:
            condition: What to wait for.
            what: Its name in the error.
            timeout: Seconds.

        Raises as `wait_for` does.
        """
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._failure:
                        raise self._failure
                    if self.ended:
                        raise WaitTimeout(f"{self}: ended without {what}")
                    await self._log.wait_for_change()
        except TimeoutError:
            raise WaitTimeout(f"{self}: no {what} within {timeout:g} s") from None

    async def get_stats(self) -> MediaStats:
        """Raises MediaUnavailable."""
        return await self._require_media().get_stats()

    def __str__(self) -> str:
        end = f" ({self.outcome.value}: {self.end_event.reason})" if self.outcome and self.end_event else ""
        return f"call {self.id}, states {' → '.join(self.state_history) or 'none'}{end}"

    # --- commands: each raises Refused, WaitTimeout, ConnectionLost ---------------------------

    async def hangup(self) -> None:
        """Hang up, and wait for the end. Does nothing if it has ended already."""
        if not self.ended:
            await self._signaling.request(messages.Hangup(self.id))
            await self.wait_for("ended", HANGUP_TIMEOUT_S)

    async def hold(self) -> None:
        """Put the others on hold: they hear music, and are not heard. Returns when they are on hold."""
        await self._signaling.request(messages.Hold(self.id, True))
        await self.wait_until(lambda: self.held, "hold")

    async def unhold(self) -> None:
        """Take them back. Returns when they are not on hold any more."""
        await self._signaling.request(messages.Hold(self.id, False))
        await self.wait_until(lambda: not self.held, "end of the hold")

    def mute(self) -> None:
        """Send silence from now on. Raises MediaUnavailable."""
        self._set_muted(True)

    def unmute(self) -> None:
        """Send sound again. Raises MediaUnavailable."""
        self._set_muted(False)

    async def send_dtmf(self, digits: str) -> None:
        """Send key presses.

        Args:
            digits: 0-9 * # A-D, at most 32.
        """
        await self._signaling.request(messages.Dtmf(self.id, digits))

    async def transfer(self, target: str) -> None:
        """Blind transfer to `target`: `Transferred` and `Ended` follow, or `TransferFailed`."""
        await self._signaling.request(messages.Transfer(self.id, target))

    async def attended_transfer(self, other: "Call") -> None:
        """Connect the other parties of both calls; both end here."""
        await self._signaling.request(messages.Transfer(self.id, to_call_id=other.id))

    async def add_party(self, target: str) -> None:
        """Make a conference: `target` is called, and joins when it answers."""
        await self._signaling.request(messages.AddParty(self.id, target))

    async def merge(self, other: "Call") -> None:
        """Make a conference: the other party of that call joins at once, and that call ends here."""
        await self._signaling.request(messages.AddParty(self.id, from_call_id=other.id))

    async def drop_party(self, party: int) -> None:
        """Remove a party.

        Args:
            party: The number of its `Party`. That of the target of a transfer takes the transfer back.
        """
        await self._signaling.request(messages.DropParty(self.id, party))

    async def leave(self) -> None:
        """Leave the call to the others, of whom there must be two. Returns when it has ended here."""
        await self._signaling.request(messages.Leave(self.id))
        await self.wait_for("ended")

    async def record(self, action: Literal["start", "pause", "resume", "stop"] = "start") -> None:
        """Control the recording. Returns when it is done."""
        await self._signaling.request(messages.Record(self.id, action))
        state = {"start": "on", "pause": "paused", "resume": "on", "stop": "off"}[action]
        await self.wait_until(lambda: self.recording.state == state, f"{action} of the recording")

    async def post_feedback(self, score: int, issue: Issue | None = None, comment: str = "") -> None:
        """Rate the call: after its end, within a day.

        Args:
            score: 1 (bad) to 5.
            issue: What was wrong.
            comment: At most 500 characters.
        """
        await self._signaling.request(messages.Feedback(self.id, score, issue, comment))

    async def renew_media(self) -> None:
        """Make new media for the call, by a new offer. Raises MediaUnavailable also."""
        await self.send_offer()
        await self.connect_media()

    # --- used by Client --------------------------------------------------------------

    async def send_offer(self, *, target: str | None = None, **fields: Any) -> None:
        """Send an offer of new media.

        Args:
            target: The number to call. None: the call is there already.
            fields: Further fields of the message.

        Raises MediaUnavailable, ConnectionLost.
        """
        self._refused, self.sdp_answer, self._offer_lost = None, "", False
        self.sdp_offer = await self._require_media().create_offer(self._signaling.ice_servers)
        await self._signaling.send(messages.Offer(sdp=self.sdp_offer, target=target, call_id=self.id, **fields))

    async def connect_media(self) -> None:
        """Wait for the SDP answer, or the end, and connect the media. Raises Refused also."""
        done = lambda: self.sdp_answer or self.ended or self._refused or self._offer_lost  # noqa: E731
        await self.wait_until(done, "SDP answer", ANSWER_TIMEOUT_S)
        if self._refused:
            raise self._refused
        if self._offer_lost and not self.ended and not self.sdp_answer:
            raise ConnectionLost(reason="it was lost before the SDP answer came")
        if self.sdp_answer:
            await self._require_media().set_answer(self.sdp_answer)

    def on_message(self, message: ServerMessage) -> None:
        match message:
            case messages.Answer(sdp=sdp):
                self.sdp_answer = sdp
            case messages.State():
                self._on_state(message)
            case messages.Hold(held=held, by=by):
                self._set_hold(held, by)
            case messages.Party():
                party = call_events.Party(
                    message.party, message.number, message.name, message.state, message.outcome, message.reason
                )
                self._set_party(party)
            case messages.Transferred(target=target):
                self._log.add(call_events.Transferred(target))
            case messages.TransferFailed(target=target, outcome=outcome, reason=reason):
                self._log.add(call_events.TransferFailed(target, outcome, reason))
            case messages.Recording(state=state, name=name, reason=reason):
                self._set_recording(call_events.Recording(state, name, reason))
            case messages.Dtmf(digits=digits):
                self.received_digits += digits
                self._log.add(call_events.Dtmf(digits))
            case messages.MediaLost(reason=reason):
                if self.media and (self._media_renewal is None or self._media_renewal.done()):
                    self._media_renewal = asyncio.create_task(self._renew_media_until_it_works(reason))
            case messages.TakenOver():
                self.taken_over = True
                self._stop_media()
                self._log.add(call_events.TakenOver())
            case messages.Error():
                self._refused = refusal_of(message)
        self._log.notify()

    def on_connection_lost(self, reason: str) -> None:
        """The connection is lost; the client reconnects."""
        self._offer_lost = True
        if not self._disconnected:
            self._disconnected = True
            self._log.add(call_events.Reconnecting("signalling", reason))

    def on_reconnected(self) -> None:
        """There is another connection, whether the one before was lost or closed."""
        self._failure = None
        if self._disconnected:
            self._disconnected = False
            self._log.add(call_events.Reconnected("signalling"))

    def fail(self, error: ClientError) -> None:
        """There will be no more events, unless the client reconnects."""
        self._failure = error
        self._log.notify()

    def sync(self, summary: messages.CallSummary) -> None:
        """Make the events up for what has happened meanwhile."""
        self._failure = None
        self._set_connected_line(summary.connected_number, summary.connected_name)
        self._enter_state(summary.state, at=summary.answered_at or 0.0)
        if summary.held != self.held:
            self._set_hold(summary.held, "us")
        if summary.held_by_far != self.held_by_far:
            self._set_hold(summary.held_by_far, "far")
        if summary.recording != self.recording.state:
            self._set_recording(call_events.Recording(summary.recording, self.recording.recording))
        for one in summary.parties:
            party = call_events.Party(one.party, one.number, one.name, one.state)
            if self.parties.get(one.party) != party:
                self._set_party(party)
        here = {one.party for one in summary.parties}
        for gone in [each for each in self.parties.values() if each.state != "ended" and each.party not in here]:
            self._set_party(replace(gone, state="ended"))
        self._log.notify()

    def mark_ended(self, outcome: Outcome | None, reason: str, *, accepted: bool, at: float = 0.0) -> None:
        """It has ended meanwhile."""
        if accepted:
            self._enter_state("accepted")
        self._end(outcome, reason, at=at)

    async def close(self) -> None:
        """Stop the media. The call on the server is not touched."""
        if self._media_renewal:
            self._media_renewal.cancel()
            await asyncio.gather(self._media_renewal, return_exceptions=True)
        if self.media:
            await self.media.close()

    # --- inside --------------------------------------------------------------------

    def _on_state(self, message: messages.State) -> None:
        self._set_connected_line(message.connected_number, message.connected_name)
        if message.state == "ended":
            self._end(message.outcome, message.reason, message.q850, message.sip, message.at)
        else:
            self._enter_state(message.state, at=message.at)

    def _enter_state(self, state: messages.ClientState, at: float = 0.0) -> None:
        """Only forwards: a state that comes twice, or late, is no event."""
        if self.state_history and _RANK[state] <= _RANK[self.state_history[-1]]:
            return
        self.state_history.append(state)
        match state:
            case "ringing":
                self._log.add(call_events.Ringing(at))
            case "early":
                self._log.add(call_events.Early(at))
            case "accepted":
                self._log.add(call_events.Accepted(at))

    def _end(self, outcome: Outcome | None, reason: str, q850: int = 0, sip: int = 0, at: float = 0.0) -> None:
        if self.ended:
            return
        kind = call_events.Ended if outcome in call_events.NORMAL_OUTCOMES else call_events.Failed
        self.state_history.append("ended")
        self.outcome, self.end_event = outcome, kind(outcome, reason, q850, sip, at)
        self._stop_media()
        self._log.add(self.end_event)

    def _set_hold(self, held: bool, by: Literal["us", "far"]) -> None:
        if by == "us":
            self.held = held
        else:
            self.held_by_far = held
        self._log.add(call_events.Hold(held, by))

    def _set_connected_line(self, number: str, name: str) -> None:
        if number:
            self.connected_number, self.connected_name = number, name

    def _set_party(self, party: call_events.Party) -> None:
        if party.party == FAR_PARTY and party.state != "ended":
            self._set_connected_line(party.number, party.display_name)
        self.parties[party.party] = party
        self._log.add(party)

    def _set_recording(self, recording: call_events.Recording) -> None:
        self.recording = recording
        self._log.add(recording)

    def _set_muted(self, muted: bool) -> None:
        self._require_media().mute(muted)
        if muted is not self.muted:
            self.muted = muted
            self._log.add(call_events.Mute(muted))

    def _require_media(self) -> Media:
        if self.media is None:
            raise MediaUnavailable(self.id)
        return self.media

    def _stop_media(self) -> None:
        if self.media:
            self.media.stop()

    async def _renew_media_until_it_works(self, reason: str) -> None:
        """The server may have no media to offer at this moment."""
        self._log.add(call_events.Reconnecting("media", reason))
        for pause in backoff():
            if self.ended or self.taken_over:
                return
            try:
                await self.renew_media()
            except ClientError as error:
                await asyncio.sleep(wait_after(error, pause))
            else:
                self._log.add(call_events.Reconnected("media"))
                return
