"""The registrar: which WebSocket connections (pages) take calls for which user. A user may have several."""

from collections.abc import Callable
from typing import Protocol

import structlog

from ari_bridge.fsm.call import Call
from ari_bridge.guest_names import guest_key
from ari_bridge_protocol.messages import ServerMessage

log = structlog.get_logger(__name__)


class Page(Protocol):
    """One registered connection. The methods are quick and never wait."""

    def ring(self, call: Call) -> None: ...

    def stop_ringing(self, call: Call, reason: str) -> None:
        """Also called if it does not ring, or has accepted the call itself."""

    def update_caller(self, call: Call) -> None:
        """The caller's number or name has changed. Also called if it does not ring."""

    def send(self, message: ServerMessage) -> None: ...

    def send_calls_soon(self) -> None:
        """The calls of its user, or of its session, have changed."""


PageListener = Callable[[str, Page], None]
"""Called with the user and the page."""


class WebSocketRegistrar:
    """The engine's `Registrar`: the engine decides who rings. The called number is the user's name."""

    def __init__(self) -> None:
        self._by_user: dict[str, list[Page]] = {}
        self._on_registered: list[PageListener] = []
        self._on_unregistered: list[PageListener] = []

    def on_registered(self, listener: PageListener) -> None:
        """Call `listener` once a page has received `registered`."""
        self._on_registered.append(listener)

    def on_unregistered(self, listener: PageListener) -> None:
        self._on_unregistered.append(listener)

    def register(self, user: str, page: Page) -> None:
        self._by_user.setdefault(user, []).append(page)

    def announce(self, user: str, page: Page) -> None:
        """The page was sent `registered`: listeners may send it more."""
        for listener in self._on_registered:
            listener(user, page)

    def unregister(self, user: str, page: Page) -> None:
        """Unregistering a page twice is fine."""
        pages = self._by_user.get(user, [])
        if page not in pages:
            return
        pages.remove(page)
        if not pages:
            del self._by_user[user]
        for listener in self._on_unregistered:
            listener(user, page)

    def is_registered(self, user: str) -> bool:
        return user in self._by_user

    def of_user(self, user: str | None) -> list[Page]:
        return list(self._by_user.get(user, ())) if user else []

    def users(self) -> list[str]:
        return sorted(self._by_user)

    def colleagues(self) -> list[str]:
        """All but the guests of pages with an API key, who are strangers, and see nobody."""
        return [user for user in self.users() if guest_key(user) is None]

    def send_to_colleagues(self, message: ServerMessage) -> None:
        """To every registered page of theirs."""
        for user in self.colleagues():
            self.send_to_user(user, message)

    def send_to_user(self, user: str, message: ServerMessage) -> None:
        """To every page of the user."""
        for page in self.of_user(user):
            page.send(message)

    def send_calls_soon(self, call: Call, owner: Page | None) -> None:
        """To all pages that the call is about. `owner`: the page that it belongs to."""
        for page in {*self.of_user(call.user), *([owner] if owner else [])}:
            page.send_calls_soon()

    def ring(self, call: Call, users: frozenset[str]) -> None:
        for user in users:
            for page in self.of_user(user):
                page.ring(call)

    def stop_ringing(self, call: Call, user: str | None, reason: str) -> None:
        for one in call.users if user is None else {user}:
            for page in list(self._by_user.get(one, [])):
                page.stop_ringing(call, reason)

    def update_caller(self, call: Call) -> None:
        for user in call.users:
            for page in self.of_user(user):
                page.update_caller(call)
