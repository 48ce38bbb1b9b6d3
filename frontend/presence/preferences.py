"""Who can be reached, and how: preferences, voicemail and the directory, put together for the pages.

The engine asks the pages who rings, the pages ask here. docs/PEOPLE.md tells it from the user's side.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import structlog

from ari_bridge.ari.client import Ari
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import BridgeError, InvalidRequest
from ari_bridge.hooks import Hooks
from ari_bridge.preferences import PreferenceFile, Preferences, check, decide_ringing
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge_protocol import messages
from frontend.auth.users import InvalidUser, check_name
from frontend.presence.directory import PresenceDirectory
from frontend.presence.registrar import Page, WebSocketRegistrar
from frontend.presence.voicemail import VoicemailBoxes

log = structlog.get_logger(__name__)


class UserServices:
    """The pages' `Reception`.

    `mailbox`: of a user, e.g. `{user}@default`; "" where the PBX has no voicemail. `voicemail_number`: what a page
    dials to hear it. `names`, `known_users`, `endpoints`: as of `PresenceDirectory`.
    """

    def __init__(
        self,
        ari: Ari,
        calls: CallManager,
        pages: WebSocketRegistrar,
        hooks: Hooks,
        preferences: PreferenceFile,
        *,
        mailbox: str = "",
        voicemail_number: str = "",
        names: dict[str, str] | None = None,
        known_users: Callable[[], list[str]] = list,
        endpoints: tuple[str, ...] = (),
    ) -> None:
        self._calls = calls
        self._pages = pages
        self._preferences = preferences
        self._voicemail: VoicemailBoxes | None = None
        if mailbox:
            self._voicemail = VoicemailBoxes(ari, pages, hooks, mailbox=mailbox, number=voicemail_number)
        self.directory = PresenceDirectory(
            ari, calls, pages, hooks, preferences, names=names or {}, known_users=known_users, endpoints=endpoints
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """From here on the pages ask here."""
        self._preferences.load()
        self._pages.reception = self
        await self.directory.start()
        if self._voicemail:
            await self._voicemail.start()

    async def close(self) -> None:
        """Changes that are being written are waited for: they take as long as the disk takes."""
        self._pages.reception = None
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._voicemail:
            await self._voicemail.close()
        await self.directory.close()

    # --- what the pages ask -----------------------------------------------------------

    def reach(self, user: str, *, has_page: bool) -> RingDecision:
        in_call = any(call.user == user and not call.left for call in self._calls.live())
        return decide_ringing(user, self._preferences.of(user), has_page=has_page, in_call=in_call)

    def came(self, user: str, page: Page) -> None:
        page.send(_message(self._preferences.of(user)))
        self.directory.came(page)
        if self._voicemail:
            self._voicemail.came(user, page)

    def left(self, user: str, page: Page) -> None:
        self.directory.changed()
        if self._voicemail:
            self._voicemail.left(user)

    def ask(self, user: str, page: Page, wanted: messages.Preferences) -> None:
        checked = self._checked(user, wanted)
        self._run(self._change(user, page, checked))

    # --- preferences ------------------------------------------------------------------

    def preferences(self, user: str) -> messages.Preferences:
        return _message(self._preferences.of(user))

    async def set(self, user: str, wanted: messages.Preferences) -> messages.Preferences:
        """As they are kept now; all pages of the user are told. Raises InvalidRequest, TooMany, PreferencesNotSaved."""
        checked = self._checked(user, wanted)
        await self._preferences.change(user, checked)
        kept = _message(checked)
        self._pages.tell(user, kept)
        self.directory.changed()
        log.info("preferences were changed", user=user)
        return kept

    def _checked(self, user: str, wanted: messages.Preferences) -> Preferences:
        try:
            check_name(user)
        except InvalidUser as error:
            raise InvalidRequest(str(error), field="user") from None
        asked = Preferences(**msgspec.structs.asdict(wanted))
        return check(user, asked, self._preferences.of)

    async def _change(self, user: str, page: Page, checked: Preferences) -> None:
        try:
            await self.set(user, _message(checked))
        except BridgeError as error:
            page.send(messages.Error(error.code, str(error), retry_after=getattr(error, "retry_after", None)))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _message(preferences: Preferences) -> messages.Preferences:
    return messages.Preferences(**msgspec.structs.asdict(preferences))
