"""Counts the voicemail messages of each registered user and sends the counts to the user's pages.

ARI has no event for a new message, so the mailboxes are polled: when a user's first page registers, when a caller who
could have left a message has hung up, when a user has called to hear the messages, and once a minute.
"""

import asyncio

import structlog

from ari_bridge.ari.client import Ari
from ari_bridge.ari.mailboxes import Messages
from ari_bridge.errors import PeerError
from ari_bridge.fsm.call import Direction
from ari_bridge.hooks import CallReleased, HookEvent, Hooks
from ari_bridge.tasks import TaskSet
from ari_bridge_protocol import messages
from frontend.presence.registrar import Page, WebSocketRegistrar

POLL_INTERVAL_S = 60.0
BATCH_INTERVAL_S = 0.25
"""How long users are collected before their mailboxes are read together, through one channel."""
MAX_FOLLOWED_CALLERS = 200
CALLER_POLL_INTERVAL_S, CALLER_POLL_TIMEOUT_S = 1.0, 600.0
"""How often, and for how long, a caller's channel in the dialplan is polled; after that the next round counts it."""

log = structlog.get_logger(__name__)


class VoicemailBoxes:
    """Polls the mailboxes of the registered users.

    Args:
        ari: Reads the mailboxes, and the channels of callers in the dialplan.
        pages: The registered pages.
        hooks: Report calls that were released.
        mailbox: Of a user, e.g. `{user}@default`.
        number: What a page dials to hear the messages; "" if there is none.
    """

    def __init__(self, ari: Ari, pages: WebSocketRegistrar, hooks: Hooks, *, mailbox: str, number: str) -> None:
        self._ari = ari
        self._pages = pages
        self._mailbox = mailbox
        self._number = number
        self._known: dict[str, Messages | None] = {}  # by user; None: there is no box
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks = TaskSet()
        hooks.tap(self._on_hook)

    async def start(self) -> None:
        self._tasks.start(self._poll_loop())

    async def close(self) -> None:
        await self._tasks.cancel()

    def on_registered(self, user: str, page: Page) -> None:
        """Send the page the counts that are known, and read them again."""
        if known := self._known.get(user):
            page.send(self._message(known))
        self._read_soon(user)

    def on_unregistered(self, user: str) -> None:
        if not self._pages.of_user(user):
            self._known.pop(user, None)

    def _read_soon(self, user: str) -> None:
        self._due.add(user)
        self._wake.set()

    def _on_hook(self, event: HookEvent) -> None:
        if not isinstance(event, CallReleased):
            return
        call = event.call
        if call.direction is Direction.OUTBOUND:
            if call.user and call.target == self._number:
                self._read_soon(call.user)
        elif call.dialplan_status and self._pages.of_user(call.target) and len(self._tasks) <= MAX_FOLLOWED_CALLERS:
            self._tasks.start(self._follow(call.far_channel, call.target))

    async def _follow(self, channel: str, user: str) -> None:
        """The caller is in the dialplan now; when the channel has ended, there may be a message."""
        try:
            async with asyncio.timeout(CALLER_POLL_TIMEOUT_S):
                while await self._ari.channels.get(channel):  # noqa: ASYNC110  no event reports its end
                    await asyncio.sleep(CALLER_POLL_INTERVAL_S)
        except (TimeoutError, PeerError) as error:
            log.debug("stopped following a caller", channel=channel, reason=repr(error))
        self._read_soon(user)

    async def _poll_loop(self) -> None:
        loop = asyncio.get_running_loop()
        round_at = loop.time() + POLL_INTERVAL_S
        while True:
            try:
                async with asyncio.timeout_at(round_at):
                    await self._wake.wait()
                await asyncio.sleep(BATCH_INTERVAL_S)
                wanted, afresh = self._due & set(self._pages.colleagues()), True
            except TimeoutError:
                wanted, afresh = set(self._pages.colleagues()), False
                round_at = loop.time() + POLL_INTERVAL_S
            self._wake.clear()
            self._due.clear()
            if wanted and self._ari.connected:
                await self._read(sorted(wanted), afresh)

    async def _read(self, users: list[str], afresh: bool) -> None:
        """`afresh`: the users may have heard messages since; if False, only new ones can have come."""
        boxes = {user: self._mailbox.replace("{user}", user) for user in users}
        known = {box: had for user, box in boxes.items() if not afresh and (had := self._known.get(user))}
        try:
            counted = await self._ari.mailboxes.count(list(boxes.values()), known)
        except PeerError as error:
            log.warning("cannot read the voicemail boxes: next attempt in a minute", reason=str(error))
            return
        except Exception:
            log.exception("reading the voicemail boxes failed")
            return
        for user, box in boxes.items():
            before, now = self._known.get(user), counted.get(box)
            if not self._pages.of_user(user):
                continue
            self._known[user] = now
            if now and now != before:
                self._pages.send_to_user(user, self._message(now))

    def _message(self, counted: Messages) -> messages.Voicemail:
        return messages.Voicemail(counted.new, counted.old, self._number)
