"""What a user's pages receive besides their calls: preferences, voicemail and the directory.

Who rings for a caller is decided in `engine.inbound_policy`. docs/PEOPLE.md describes both for users.
"""

from collections.abc import Callable

import msgspec
import structlog

from ari_bridge.accounts import InvalidUser, check_name
from ari_bridge.ari.client import Ari
from ari_bridge.audit import Action, Audit, NoAudit
from ari_bridge.dial_permissions import LegKind
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.errors import BridgeError, InvalidRequest
from ari_bridge.hooks import Hooks
from ari_bridge.preferences import VOICEMAIL, PreferenceFile, check
from ari_bridge.preferences.preferences import FORWARDS
from ari_bridge.tasks import TaskSet
from ari_bridge_protocol import messages
from ari_bridge_protocol.preferences import CallPreferences
from frontend.auth.authenticator import Unauthorized
from frontend.presence.directory import PresenceDirectory
from frontend.presence.registrar import Page, WebSocketRegistrar
from frontend.presence.voicemail import VoicemailBoxes

log = structlog.get_logger(__name__)


class UserServices:
    """Serves each page that registers with preferences, voicemail and the directory.

    Args:
        ari: See `PresenceDirectory` and `VoicemailBoxes`.
        calls: See `PresenceDirectory`.
        pages: The registered pages.
        hooks: Report changes of calls.
        preferences: Where the preferences are stored.
        mailbox: Of a user, e.g. `{user}@default`; "" if the PBX has no voicemail.
        voicemail_number: What a page dials to hear the messages.
        names: See `PresenceDirectory`.
        display_name: See `PresenceDirectory`.
        known_users: See `PresenceDirectory`.
        sip_users: See `PresenceDirectory`.
        endpoints: See `PresenceDirectory`.
        audit: Where changed forwards are recorded.
    """

    def __init__(
        self,
        ari: Ari,
        calls: CallManager,
        pages: WebSocketRegistrar,
        hooks: Hooks,
        preferences: PreferenceFile,
        gate: DialGate,
        *,
        mailbox: str = "",
        voicemail_number: str = "",
        names: dict[str, str] | None = None,
        display_name: Callable[[str], str] = lambda user: "",
        known_users: Callable[[], list[str]] = list,
        sip_users: Callable[[], frozenset[str]] = frozenset,
        endpoints: tuple[str, ...] = (),
        audit: Audit | None = None,
    ) -> None:
        self._audit: Audit = audit or NoAudit()
        self._pages = pages
        self._preferences = preferences
        self._gate = gate  # where calls may be forwarded to
        self._voicemail: VoicemailBoxes | None = None
        if mailbox:
            self._voicemail = VoicemailBoxes(ari, pages, hooks, mailbox=mailbox, number=voicemail_number)
        self.directory = PresenceDirectory(
            ari,
            calls,
            pages,
            hooks,
            preferences,
            names=names or {},
            display_name=display_name,
            known_users=known_users,
            sip_users=sip_users,
            endpoints=endpoints,
        )
        self._tasks = TaskSet()
        pages.on_registered(self._on_registered)
        pages.on_unregistered(self._on_unregistered)

    async def start(self) -> None:
        self._preferences.load()
        await self.directory.start()
        if self._voicemail:
            await self._voicemail.start()

    async def close(self) -> None:
        """Waits for changes that are being written, as long as the disk takes."""
        await self._tasks.wait()
        if self._voicemail:
            await self._voicemail.close()
        await self.directory.close()

    # --- what pages do -----------------------------------------------------------

    def _on_registered(self, user: str, page: Page) -> None:
        page.send(_message(self._preferences.of(user)))
        self.directory.on_registered(page)
        if self._voicemail:
            self._voicemail.on_registered(user, page)

    def _on_unregistered(self, user: str, page: Page) -> None:
        self.directory.changed()
        if self._voicemail:
            self._voicemail.on_unregistered(user)

    def request_change(self, user: str | None, page: Page, wanted: messages.Preferences) -> None:
        """Start storing the preferences of the page's user; all pages of the user receive the result.

        Raises Unauthorized, InvalidRequest.
        """
        if user is None:
            raise Unauthorized("Register first: preferences are a user's.")
        checked = self._checked(user, wanted)
        self._tasks.start(self._change(user, page, checked))

    # --- preferences ------------------------------------------------------------------

    def preferences(self, user: str) -> CallPreferences:
        return self._preferences.of(user)

    async def set(self, user: str, wanted: CallPreferences) -> CallPreferences:
        """Store them, and send them to all pages of the user. Raises InvalidRequest, DialForbidden, TooMany,
        PreferencesNotSaved."""
        checked = self._checked(user, wanted)
        await self._store(user, checked)
        return checked

    async def forget(self, user: str) -> None:
        """Reset the preferences of a removed user to the defaults. Raises as `set`."""
        await self._store(user, CallPreferences())

    def _checked(self, user: str, wanted: CallPreferences) -> CallPreferences:
        try:
            check_name(user)
        except InvalidUser as error:
            raise InvalidRequest(str(error), field="user") from None
        checked = check(user, wanted, self._preferences.of)
        for name in FORWARDS:
            if (number := getattr(checked, name)) not in ("", VOICEMAIL):
                self._gate.check(user, number, LegKind.FORWARD)
        return checked

    async def _change(self, user: str, page: Page, checked: CallPreferences) -> None:
        try:
            await self._store(user, checked)
        except BridgeError as error:
            page.send(messages.Error(error.code, str(error), retry_after=getattr(error, "retry_after", None)))

    async def _store(self, user: str, checked: CallPreferences) -> None:
        before = await self._preferences.change(user, checked)
        self._pages.send_to_user(user, _message(checked))
        self.directory.changed()
        self._record(user, before, checked)
        forwards = {name: number for name in FORWARDS if (number := getattr(checked, name))}
        log.info("preferences were changed", user=user, **forwards)

    def _record(self, user: str, before: CallPreferences, now: CallPreferences) -> None:
        for name, field in zip(now.__struct_fields__, now.__struct_encode_fields__, strict=True):
            old, new = getattr(before, name), getattr(now, name)
            if old != new:
                action = Action.FORWARD_CHANGE if name in FORWARDS else Action.PREFERENCES_CHANGE
                self._audit.record(action, user, field=field, old=old, new=new)


def _message(preferences: CallPreferences) -> messages.Preferences:
    return messages.Preferences(**msgspec.structs.asdict(preferences))
