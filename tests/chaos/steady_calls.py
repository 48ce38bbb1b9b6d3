"""Calls that stand with a tone both ways, over headless phones and a real page, and what is heard of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from playwright.async_api import Error as PageError

from ari_bridge_client import Call, Client, ClientError
from ari_bridge_client.audio import Samples, Tone
from tests.chaos.browser import Browsers, Chromium, Ears, SoftphonePage
from tests.chaos.far import FAR_TONE, PAGE_TONE
from tests.chaos.results import Seen
from tests.chaos.silent import SilentClient
from tests.chaos.system import System
from tests.real.tone_presence import TonePresence, has_tone

T = TypeVar("T")
PAGE_USER = "1001"
STANDING = 2.0
"""Seconds that calls stand before the fault."""
EARS_SECONDS = 10.0
"""The longest that the page's ears may be behind."""
SETTLE = 0.3
"""Seconds: what was heard last has reached everybody's records by then."""


NOTED, NOTES = 0.1, 12
"""Seconds: silences from here on are told one by one, at most so many."""


class NotHeard(Exception):
    """The tone did not come, or did not come back, within the time; which and where."""


class PhoneEars:
    """When a headless phone heard the far party, played one frame after the other as a loudspeaker would."""

    def __init__(self, call: Call) -> None:
        self.presence = TonePresence()
        self._played = 0.0  # until when, Unix seconds
        call.received_audio.on_frame(self._frame)

    def _frame(self, samples: Samples, rate: int) -> None:
        start = max(time.time() - len(samples) / rate, self._played)
        self._played = start + len(samples) / rate
        self.presence.heard(start, self._played, tone=has_tone(samples, FAR_TONE, rate))


@dataclass
class SteadyCall:
    """One call. `far`: the address that its sound comes to the far party from; `near`: what its own side heard."""

    far: str
    near: TonePresence
    phone: Client | None = None  # None: it is the page's
    call: Call | None = None

    @property
    def name(self) -> str:
        return f"call {self.call.id}" if self.call else "the page's call"


@dataclass
class SteadyCalls:
    """`async with SteadyCalls(system, browsers) as talk`: calls are added, and all is closed in the end.

    `url`, `ws_url`: where pages and phones find the front end, if not directly.
    """

    system: System
    browsers: Browsers | None = None
    url: str = ""
    ws_url: str = ""
    codec: str = ""  # of the headless phones; "": Opus
    enter: tuple[str, ...] = ()  # what the browser is started by, to run in a network of its own
    lines: list[SteadyCall] = field(default_factory=list)
    silent: list[SilentClient] = field(default_factory=list)  # further calls, which nobody hears
    page: SoftphonePage | None = None
    chromium: Chromium | None = None
    ears: Ears = field(default_factory=Ears)
    noise: float = 0.0  # the longest silence before any fault, in seconds: what this machine makes by itself
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> "SteadyCalls":
        self.url = self.url or self.system.front_end.url
        self.ws_url = self.ws_url or self.system.front_end.ws_url
        await self.system.far.forget()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._open.aclose()

    # --- calls -------------------------------------------------------------------

    async def add_phone(self, number: int, *, reconnects: bool = True) -> SteadyCall:
        """A headless phone with a call that is heard both ways."""
        phone = Client(self.ws_url, user=f"20{number:02}", reconnects=reconnects, codec=self.codec)
        await phone.__aenter__()
        self._open.push_async_callback(phone.abort)
        known = set(await self.system.far.heard())
        call = await phone.call(f"70{number:02}", source=Tone(PAGE_TONE))
        near = PhoneEars(call).presence
        await call.wait_for("accepted", timeout=10)
        line = SteadyCall(await self._new_far(known), near, phone, call)
        self.lines.append(line)
        return line

    async def add_page(self) -> SteadyCall:
        """A page with a call that is heard both ways."""
        await self.open_page()
        assert self.page
        known = set(await self.system.far.heard())
        await self.page.call("7999")
        await self.page.talks()
        line = SteadyCall(await self._new_far(known), self.ears.presence)
        self.lines.append(line)
        return line

    async def add_silent(self, number: int) -> None:
        """A call without media."""
        client = SilentClient(self.ws_url, f"21{number:02}")
        self._open.push_async_callback(client.abort)
        await client.__aenter__()
        await client.place(f"72{number:02}")
        self.silent.append(client)

    async def open_page(self) -> None:
        """A new browser, signed in and online. Its ears go on where those of an earlier one ended."""
        assert self.browsers
        address = urlsplit(self.url)
        there, url = (address.hostname, f"http://localhost:{address.port}") if self.enter else ("", self.url)
        self.chromium = await self.browsers.start(self.ears, enter=self.enter, localhost=there or "")
        self._open.push_async_callback(self.chromium.close)
        self.page = await self.chromium.page()
        await self.page.start(url, PAGE_USER)

    async def stand(self, *, phones: int, page: bool, silent: int = 0) -> None:
        """So many calls, each heard both ways for some seconds; and so many `silent` ones."""
        for number in range(silent):
            await self.add_silent(number)
        if page:
            await self.add_page()
        for number in range(phones):
            await self.add_phone(number)
        since = time.time()
        await asyncio.sleep(STANDING)
        await self.heard_since(since)
        self.noise = (await self.seen(since)).worst()

    async def _new_far(self, known: set[str]) -> str:
        async def look() -> str:
            return next(iter(set(await self.system.far.heard()) - known), "")

        return await until(look, "nothing arrives at the far party", seconds=5)

    # --- what is heard -------------------------------------------------------------

    async def heard_since(self, since: float, *, seconds: float = 15.0) -> dict[str, float]:
        """Waits until every line is heard both ways after `since`; by direction, when the last one was.

        Raises NotHeard.
        """

        end = time.monotonic() + seconds
        while True:
            far = await self.system.far.heard()
            both = [(line, far.get(line.far, TonePresence()), line.near) for line in self.lines]
            missing = [
                f"{line.name}: far party {_state(at_far, since)}, near side {_state(near, since)}"
                for line, at_far, near in both
                if at_far.again(since) is None or near.again(since) is None
            ]
            if not missing:
                break
            if time.monotonic() > end:
                raise NotHeard(f"not heard both ways within {seconds:g} s: " + "; ".join(missing))
            await asyncio.sleep(0.05)
        return {
            "far": max((at_far.again(since) or since for _, at_far, _ in both), default=since),
            "near": max((near.again(since) or since for _, _, near in both), default=since),
        }

    async def seen(self, since: float) -> Seen:
        """The silences since then. The far party's ends are those of the lines that still stand."""
        until_ = time.time()
        await asyncio.sleep(SETTLE)
        await self._ears_caught_up(until_)
        far = await self.system.far.heard()
        page = [line for line in self.lines if line.phone is None]
        phones = [line for line in self.lines if line.phone is not None]
        notes = []
        for line in self.lines:
            for side, presence in (("far party", far.get(line.far, TonePresence())), ("near side", line.near)):
                notes += [
                    f"{line.name}: {side} {_silence(presence, start, end)}"
                    for start, end in presence.silences(since, until_)
                    if end - start > NOTED
                ]
        return Seen(
            calls=len(self.lines) + len(self.silent),
            kept=0,
            far_silence=_worst([far.get(line.far, TonePresence()) for line in self.lines], since, until_),
            browser_silence=_worst([line.near for line in page], since, until_),
            phone_silence=_worst([line.near for line in phones], since, until_),
            noise=self.noise,
            notes=[f"fault at {_clock(since)}", *notes[:NOTES]] if notes else [],
        )

    async def _ears_caught_up(self, moment: float) -> None:
        """What the page heard comes by way of a busy test: until it has told of `moment`, or tells nothing any more."""
        end = time.monotonic() + EARS_SECONDS
        if any(line.phone is None for line in self.lines):
            while self.ears.told < moment and time.monotonic() < end:  # noqa: ASYNC110  the page tells nobody else
                await asyncio.sleep(0.05)

    # --- connections ---------------------------------------------------------------

    def connections(self) -> int:
        """How many connections all phones made so far. (Each lost one is made again: one more for each.)"""
        return sum(client.connection_count for client in self._clients())

    def _clients(self) -> list[Client]:
        return [*(line.phone for line in self.lines if line.phone), *self.silent]

    async def reconnected(self, before: int, *, seconds: float = 20.0) -> None:
        """Waits until the page is online, and each phone is on another connection than when `before` was taken."""
        clients = self._clients()

        async def look() -> bool:
            return self.connections() >= before + len(clients) and all(client.connected for client in clients)

        await until(look, "a phone is not connected again", seconds=seconds)
        if self.page:
            await self.page.online(seconds=seconds)

    async def commanded(self, line: SteadyCall, *, seconds: float = 20.0) -> float:
        """When a phone that tries all the time could connect again, and hang up its call; Unix seconds."""
        assert line.phone
        end = time.monotonic() + seconds
        while line.phone.connected and time.monotonic() < end:  # noqa: ASYNC110  as a person would look
            await asyncio.sleep(0.005)  # it has not seen yet that its connection is lost
        while True:
            try:
                await line.phone.reconnect()
                return await self.hang_up(line)
            except ClientError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.02)

    # --- commands ------------------------------------------------------------------

    async def hang_up(self, line: SteadyCall) -> float:
        """Hangs one up; when its end was told. It is no line any more. Raises ClientError, playwright's Error."""
        if line in self.lines:
            self.lines.remove(line)
        if line.call:
            await line.call.hangup()
            return time.time()
        assert self.page
        await self.page.hang_up()
        return await self.page.shows("idle", "ended")

    async def hang_up_all(self, seen: Seen) -> None:
        """Counts as kept what can be hung up and then ends as completed; says what is wrong with the others."""
        for line in list(self.lines):
            try:
                await self.hang_up(line)
                outcome = await self._outcome(line)
            except (ClientError, PageError) as error:
                seen.wrong.append(f"{line.name} could not be hung up: {str(error).splitlines()[0]}")
                continue
            _count(seen, line.name, outcome)
        for client in self.silent:
            try:
                await client.hang_up()
            except ClientError as error:
                seen.wrong.append(f"the silent call {client.call_id} could not be hung up: {error}")
                continue
            _count(seen, f"the silent call {client.call_id}", client.outcome)
        self.silent.clear()
        if self.page and self.page.faults:
            seen.wrong += [f"in the page: {fault}" for fault in self.page.faults]

    async def _outcome(self, line: SteadyCall) -> str:
        if line.call:
            return line.call.outcome.value if line.call.outcome else ""
        assert self.page
        return await self.page.outcome()


def _count(seen: Seen, name: str, outcome: str) -> None:
    """A call that was hung up counts as kept where it was completed."""
    if outcome == "completed":
        seen.kept += 1
    else:
        seen.wrong.append(f"{name} ended as {outcome or 'nobody knows'}")


def _silence(presence: TonePresence, start: float, end: float) -> str:
    other = presence.other_within(start, end)
    heard = f", with {other:.3f} s of other sound" if other else ""
    return f"silent for {end - start:.3f} s{heard}, from {_clock(start)} to {_clock(end)}"


def _clock(at: float) -> str:
    """As the front end's log has it, to be read beside it."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"[:-3]


def _state(presence: TonePresence, since: float) -> str:
    if presence.again(since) is not None:
        return "hears"
    return f"heard last {time.time() - presence.last:.1f} s ago" if presence.last else "never heard"


def _worst(presences: list[TonePresence], since: float, until_: float) -> float | None:
    return max((presence.longest_silence(since, until_) for presence in presences), default=None)


async def until(look: Callable[[], Awaitable[T]], what: str, *, seconds: float) -> T:
    """What `look` gives as soon as it is something. Raises NotHeard."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := await look():
            return found
        await asyncio.sleep(0.02)
    raise NotHeard(f"{what}, within {seconds:g} s")
