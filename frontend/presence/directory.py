"""The directory: the users of the pages and the phones of the PBX, with the presence of each."""

import asyncio
from collections.abc import Callable
from fnmatch import fnmatchcase

import structlog

from ari_bridge.ari.client import Ari
from ari_bridge.ari.endpoints import Endpoint, device_changed
from ari_bridge.ari.events import AriEvent
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import PeerError
from ari_bridge.hooks import CallEvent, HookEvent, Hooks
from ari_bridge.preferences import PreferenceStore
from ari_bridge.preferences.presence import PresenceState, of_device, of_endpoint, of_users
from ari_bridge.tasks import TaskSet
from ari_bridge_protocol import messages
from ari_bridge_protocol.messages import PersonSummary
from frontend.presence.registrar import Page, WebSocketRegistrar

MAX_ENTRIES = 2000
"""Entries of the directory; the rest is left out, phones of the PBX first."""
BATCH_INTERVAL_S = 0.25
"""How long changes are collected before they are sent together."""
ENDPOINTS_INTERVAL_S = 60.0
"""How often the PBX's list of endpoints is read again, to find new phones."""

log = structlog.get_logger(__name__)


class PresenceDirectory:
    """Keeps the list of people, and sends it and its changes to the registered pages.

    Args:
        ari: Lists the phones of the PBX and reports changes of their device states.
        calls: Tells who is in a call.
        pages: The registered pages.
        hooks: Report changes of calls.
        preferences: Tell who does not want to be disturbed.
        names: From the phone book, by number.
        display_name: Who a user is, for people; "" if that is not known. Goes before the phone book.
        known_users: The users who may sign in, online or not; may raise.
        sip_users: Users with a phone at the SIP edge.
        endpoints: Which phones of the PBX are listed, as patterns of their names (`2*`); none if it is empty.
    """

    def __init__(
        self,
        ari: Ari,
        calls: CallManager,
        pages: WebSocketRegistrar,
        hooks: Hooks,
        preferences: PreferenceStore,
        *,
        names: dict[str, str],
        display_name: Callable[[str], str],
        known_users: Callable[[], list[str]],
        sip_users: Callable[[], frozenset[str]],
        endpoints: tuple[str, ...],
    ) -> None:
        self._ari = ari
        self._calls = calls
        self._pages = pages
        self._preferences = preferences
        self._names = names
        self._display_name = display_name
        self._known_users = known_users
        self._sip_users = sip_users
        self._patterns = endpoints
        self._phones: dict[str, Endpoint] = {}  # by device
        self._device_states: dict[str, PresenceState] = {}
        self._subscribed: set[str] = set()  # devices whose changes Asterisk reports
        self._changed_devices: set[str] = set()  # the ones that changed since the endpoints were last listed
        self._sent: dict[str, PersonSummary] = {}
        self._changed = asyncio.Event()
        self._refresh_now = asyncio.Event()
        self._tasks = TaskSet()
        self._cut = False
        hooks.tap(self._on_hook)
        ari.on_event(self._on_event)
        ari.on_connect(self._on_connect)

    async def start(self) -> None:
        self._sent = self._people()
        self._tasks.start(self._send_loop())
        if self._patterns:
            self._tasks.start(self._refresh_loop())

    async def close(self) -> None:
        await self._tasks.cancel()

    def on_registered(self, page: Page) -> None:
        page.send(messages.People(self.people()))
        self.changed()

    def changed(self) -> None:
        """Somebody's presence may have changed: compare, and send what is new."""
        self._changed.set()

    def people(self) -> list[PersonSummary]:
        """Everybody, sorted by number, as last sent to the pages: later changes are sent as `people-changed`."""
        return list(self._sent.values())

    # --- receiving changes ----------------------------------------------------------

    def _on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallEvent):
            self.changed()

    def _on_event(self, event: AriEvent) -> None:
        if (device := device_changed(event)) and self._is_person(device.name):
            self._device_states[device.name] = of_device(device.state)
            self._changed_devices.add(device.name)
            self.changed()

    async def _on_connect(self) -> None:
        self._refresh_now.set()

    async def _refresh_loop(self) -> None:
        while True:
            if self._ari.connected:
                await self._refresh()
            try:
                async with asyncio.timeout(ENDPOINTS_INTERVAL_S):
                    await self._refresh_now.wait()
                self._subscribed.clear()  # changes may have been missed, or it is another PBX
            except TimeoutError:
                pass
            self._refresh_now.clear()

    async def _refresh(self) -> None:
        try:
            phones = await self._list_phones()
            fresh = sorted(phones.keys() - self._subscribed)[:MAX_ENTRIES]
            if fresh:
                self._changed_devices.clear()
                await self._ari.endpoints.subscribe(fresh)
                phones = await self._list_phones()  # again: changes before the subscription were not reported
        except PeerError as error:
            log.warning("cannot list the PBX's phones: next attempt in a minute", reason=str(error))
            return
        self._phones = phones
        self._subscribed |= {*fresh}
        for device in fresh:
            if device in phones and device not in self._changed_devices:
                phone = phones[device]
                self._device_states[device] = of_endpoint(phone.state, len(phone.channel_ids))
        self._device_states = {device: self._device_states.get(device, PresenceState.OFFLINE) for device in phones}
        self.changed()

    async def _list_phones(self) -> dict[str, Endpoint]:
        """The phones that match `endpoints`, by device."""
        listed = await self._ari.endpoints.list()
        return {one.device: one for one in listed if self._is_person(one.device)}

    def _is_person(self, device: str) -> bool:
        return any(fnmatchcase(device.partition("/")[2], pattern) for pattern in self._patterns)

    # --- sending changes ------------------------------------------------------------

    async def _send_loop(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(BATCH_INTERVAL_S)
            self._changed.clear()
            try:
                self._send_changes()
            except Exception:
                log.exception("sending the directory failed")

    def _send_changes(self) -> None:
        before, self._sent = self._sent, self._people()
        if before.keys() != self._sent.keys():
            self._pages.send_to_colleagues(messages.People(self.people()))
            return
        # One message for all changes: the number of messages must not grow with changes times pages.
        if changed := [person for key, person in self._sent.items() if person != before[key]]:
            self._pages.send_to_colleagues(messages.PeopleChanged(changed))

    def _people(self) -> dict[str, PersonSummary]:
        online = frozenset(self._pages.colleagues()) | self._sip_users()
        users = sorted({*self._users(), *online})
        undisturbed = frozenset(user for user in users if self._preferences.of(user).do_not_disturb)
        presence = of_users(users, online=online, undisturbed=undisturbed, calls=self._calls.live())
        people = {
            f"user {user}": PersonSummary(
                user, self._display_name(user) or self._names.get(user, ""), state.value, user
            )
            for user, state in presence.items()
        }
        for device, phone in sorted(self._phones.items()):
            if phone.resource not in presence:
                state = self._device_states.get(device, PresenceState.OFFLINE)
                number = phone.resource
                people[f"phone {device}"] = PersonSummary(number, self._names.get(number, ""), state.value)
        return self._bounded(people)

    def _users(self) -> list[str]:
        try:
            return self._known_users()
        except Exception as error:  # for example, a users file that is being edited
            log.warning("cannot list the users", reason=str(error))
            return []

    def _bounded(self, people: dict[str, PersonSummary]) -> dict[str, PersonSummary]:
        if len(people) > MAX_ENTRIES and not self._cut:
            log.warning("the directory is too large: some entries are left out", entries=len(people), kept=MAX_ENTRIES)
        self._cut = len(people) > MAX_ENTRIES
        return dict(list(people.items())[:MAX_ENTRIES])
