"""One call of the headless phone: its states, its media connection, and what it hears."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Literal

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from ari_bridge.calls.causes import Outcome
from frontend import messages
from frontend.client.connection import ClientError, ServerRefused
from frontend.client.tones import Heard, Silence, Source, hear
from frontend.messages import ClientMessage, ServerMessage

ANSWER_SECONDS = 15.0  # the server's own set-up timeout comes first
HANGUP_SECONDS = 10.0
Send = Callable[[ClientMessage], Awaitable[None]]
"""Raises ConnectionLost."""


def backoff() -> Iterator[float]:
    """Seconds between tries: 0.25 to 5, each up to a half longer, so that many clients do not come at once."""
    pause = 0.25
    while True:
        yield pause * random.uniform(1.0, 1.5)
        pause = min(5.0, pause * 2)


LONGEST_WAIT = 60.0
"""Seconds: a server that asks for more is tried all the same."""


def wait_after(error: ClientError, pause: float) -> float:
    """Seconds to the next try: `pause`, or as long as the server asked for, and up to a half longer: so were others."""
    return max(pause, min(error.retry_after, LONGEST_WAIT) * random.uniform(1.0, 1.5))


class NotSeen(ClientError):
    """What was waited for did not come; the text says what came instead."""


class _Feed(MediaStreamTrack):
    """What one media connection sends. With that connection it is stopped, but the source goes on in the next."""

    kind = "audio"

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    async def recv(self) -> Any:
        if self.readyState != "live":
            raise MediaStreamError
        return await self._source.recv()


class PhoneCall:
    """One call of the phone. `history`: the states as they came; `outcome`: once it has ended."""

    def __init__(self, send: Send, call_id: str, source: Source | None, codec: str = "") -> None:
        self.id = call_id
        self.history: list[str] = []
        self.outcome: Outcome | None = None
        self.end: messages.State | None = None
        self.held = False  # by our side
        self.held_by_far = False
        self.parties: dict[int, messages.Party] = {}  # by their number, as told last
        self.transferred: list[messages.Transferred | messages.TransferFailed] = []
        self.recording = messages.Recording(call_id, "off")
        self.digits = ""  # pressed by the far side
        self.sdp_offer = ""
        self.sdp_answer = ""
        self.heard = Heard()
        self.taken_over = False  # another page of the user holds the call now; its media is closed here
        self._send = send
        self._source = source or Silence()
        self._wanted_codec = codec
        self._error: ClientError | None = None
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: dict[RTCPeerConnection, asyncio.Task[None]] = {}
        self._peer = self._new_peer()

    @property
    def ended(self) -> bool:
        return "ended" in self.history

    async def wait(self, state: str, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Until the call has been in `state`. Raises NotSeen, or what broke the call."""
        await self.until(lambda: state in self.history, f"state {state!r}", timeout)

    async def until(self, condition: Any, what: str, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Until `condition()` holds, looked at with every message. Raises NotSeen, or what broke the call."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if self._error:
                        raise self._error
                    if self.ended:
                        raise NotSeen(f"{self}: ended without {what}")
                    await self._news.wait()
        except TimeoutError:
            raise NotSeen(f"{self}: no {what} within {timeout:g} s") from None

    async def hangup(self) -> None:
        """Hang up and wait for the end. Raises NotSeen, ConnectionLost."""
        if not self.ended:
            await self._send(messages.Hangup(self.id))
            await self.wait("ended", HANGUP_SECONDS)

    async def send_dtmf(self, digits: str) -> None:
        await self._send(messages.Dtmf(self.id, digits))

    async def hold(self, held: bool = True) -> None:
        """Put the others on hold, or (False) take them back. Raises NotSeen, ServerRefused, ConnectionLost."""
        await self._ask(messages.Hold(self.id, held), lambda: self.held is held, "hold")

    async def transfer(self, to: "str | PhoneCall") -> None:
        """To a number, or to the party of another call; what comes of it: `transferred`. Raises ConnectionLost."""
        number, other = (to, None) if isinstance(to, str) else (None, to.id)
        await self._send(messages.Transfer(self.id, number, other))

    async def add_party(self, who: "str | PhoneCall") -> None:
        """A number, or the party of another call; how it goes: `parties`. Raises ConnectionLost."""
        number, other = (who, None) if isinstance(who, str) else (None, who.id)
        await self._send(messages.AddParty(self.id, number, other))

    async def drop_party(self, party: int) -> None:
        await self._send(messages.DropParty(self.id, party))

    async def leave(self) -> None:
        """Leave; the others go on. Raises NotSeen, ServerRefused, ConnectionLost."""
        await self._ask(messages.Leave(self.id), lambda: self.ended, "leave")

    async def record(self, action: Literal["start", "pause", "resume", "stop"]) -> None:
        """Raises NotSeen, ServerRefused, ConnectionLost."""
        state = {"start": "on", "pause": "paused", "resume": "on", "stop": "off"}[action]
        await self._ask(
            messages.Record(self.id, action), lambda: self.recording.state == state, f"{action} of a recording"
        )

    async def _ask(self, message: ClientMessage, done: Callable[[], bool], what: str) -> None:
        await self._send(message)
        await self.until(done, what)

    async def renew(self) -> None:
        """New media for the call that stands, by a new offer. Raises NotSeen, or what broke the call."""
        old, self._peer = self._peer, self._new_peer()
        self._error, self.sdp_answer = None, ""
        self._shut(old)
        await self._send(messages.Offer(sdp=await self.offer(), call_id=self.id))
        await self.answered()

    async def stats(self) -> dict[str, Any]:
        """Packets sent and received, packets lost, jitter (seconds), and the codec."""
        figures: dict[str, Any] = {"codec": self._codec()}
        for report in (await self._peer.getStats()).values():
            if report.type == "inbound-rtp":
                figures |= {"received": report.packetsReceived, "lost": report.packetsLost}
                figures["jitter"] = report.jitter / 48000
            elif report.type == "outbound-rtp":
                figures["sent"] = report.packetsSent
        return figures

    def __str__(self) -> str:
        end = f" ({self.outcome.value}: {self.end.reason})" if self.outcome and self.end else ""
        return f"call {self.id}, states {' → '.join(self.history) or 'none'}{end}"

    # --- used by Phone --------------------------------------------------------------

    async def offer(self) -> str:
        """Our SDP offer. Nothing is gathered but the addresses of this machine."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        self.sdp_offer = self._peer.localDescription.sdp
        return self.sdp_offer

    async def answered(self) -> None:
        """Wait for the SDP answer, or the end, and connect the media."""
        await self.until(lambda: self.sdp_answer or self.ended, "answer", ANSWER_SECONDS)
        if self.sdp_answer:
            await self._peer.setRemoteDescription(RTCSessionDescription(self.sdp_answer, "answer"))

    def take(self, message: ServerMessage) -> None:
        match message:
            case messages.Answer(sdp=sdp):
                self.sdp_answer = sdp
            case messages.State(state=state, outcome=outcome):
                self.history.append(state)
                if state == "ended":
                    self.outcome, self.end = outcome, message
                    # At once: its packets would go on to ports that the next call may get.
                    self._shut(self._peer)
            case messages.Hold(held=held, by="us"):
                self.held = held
            case messages.Hold(held=held):
                self.held_by_far = held
            case messages.Party(party=party):
                self.parties[party] = message
            case messages.Transferred() | messages.TransferFailed():
                self.transferred.append(message)
            case messages.Recording():
                self.recording = message
            case messages.Dtmf(digits=digits):
                self.digits += digits
            case messages.MediaLost():
                self._run(self._renew_until_it_works())
            case messages.TakenOver():
                self.taken_over = True
                self._shut(self._peer)
            case messages.Error():
                self._error = ServerRefused(message)
        self._wake()

    def fail(self, error: ClientError) -> None:
        self._error = error
        self._wake()

    def catch_up(self, summary: messages.CallSummary | None) -> None:
        """After a lost connection: how the call stands now. None: it has ended meanwhile, nobody knows how."""
        self._error = None
        state = summary.state if summary else "ended"
        if state not in self.history:
            self.history.append(state)
        if summary:
            self.held, self.held_by_far = summary.held, summary.held_by_far
        else:
            self._shut(self._peer)
        self._wake()

    async def close(self) -> None:
        """Stop the media; the call itself is the server's."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._shut(self._peer)
        await asyncio.gather(*self._closing.values())
        self.heard.close()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _shut(self, peer: RTCPeerConnection) -> None:
        """Close it, once, and to the end: an aiortc connection whose closing is cancelled never closes."""
        if peer not in self._closing:
            self._closing[peer] = asyncio.create_task(peer.close())

    def _new_peer(self) -> RTCPeerConnection:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        sender = peer.addTrack(_Feed(self._source))
        if self._wanted_codec:
            known = RTCRtpSender.getCapabilities("audio").codecs
            wanted = [each for each in known if each.mimeType.lower() == f"audio/{self._wanted_codec.lower()}"]
            [transceiver] = [each for each in peer.getTransceivers() if each.sender is sender]
            transceiver.setCodecPreferences(wanted)
        peer.on("track", lambda track: self._run(self._listen(peer, track)))
        return peer

    async def _listen(self, peer: RTCPeerConnection, track: MediaStreamTrack) -> None:
        await hear(track, self.heard)
        if peer is self._peer:
            self.heard.close()

    async def _renew_until_it_works(self) -> None:
        """The server may have no media to give at this moment."""
        for pause in backoff():
            if self.ended or self.taken_over:
                return
            try:
                return await self.renew()
            except ClientError as error:
                await asyncio.sleep(wait_after(error, pause))

    def _codec(self) -> str:
        for line in self.sdp_answer.splitlines():
            if line.startswith("a=rtpmap:"):
                return line.split(" ", 1)[1].split("/")[0]
        return ""
