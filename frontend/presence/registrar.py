"""Who has a page open: which connections take calls for which user."""

from typing import Protocol

import structlog

from ari_bridge.errors import InvalidRequest
from ari_bridge.fsm.call import Call
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge_protocol.messages import Preferences, ServerMessage
from frontend.auth.authenticator import Unauthorized

log = structlog.get_logger(__name__)


class Page(Protocol):
    """One registered connection. All are quick and never wait."""

    def ring(self, call: Call) -> None: ...

    def stop_ringing(self, call: Call, reason: str) -> None:
        """Also told where it does not ring, or has accepted the call itself."""

    def update_caller(self, call: Call) -> None:
        """Who calls has changed. Also told where it does not ring."""

    def send(self, message: ServerMessage) -> None: ...


class Reception(Protocol):
    """Who knows what users want to be done with their calls. All are quick and never wait."""

    def reach(self, user: str, *, has_page: bool) -> RingDecision:
        """Who is to ring for a caller of this user."""

    def came(self, user: str, page: Page) -> None:
        """The page has registered."""

    def left(self, user: str, page: Page) -> None: ...

    def ask(self, user: str, page: Page, wanted: Preferences) -> None:
        """The user wants these preferences; what comes of it is told to the pages. Raises InvalidRequest."""


class WebSocketRegistrar:
    """The engine's `Pages`. The number that is called is the user's name.

    `reception`: without one, whoever has a page open is rung.
    """

    def __init__(self) -> None:
        self.reception: Reception | None = None
        self._by_user: dict[str, list[Page]] = {}

    def register(self, user: str, page: Page) -> None:
        self._by_user.setdefault(user, []).append(page)

    def told(self, user: str, page: Page) -> None:
        """The page knows that it is registered: what else it is to be told comes now."""
        if self.reception:
            self.reception.came(user, page)

    def unregister(self, user: str, page: Page) -> None:
        """Also for one that has done so before."""
        pages = self._by_user.get(user, [])
        if page not in pages:
            return
        pages.remove(page)
        if not pages:
            del self._by_user[user]
        if self.reception:
            self.reception.left(user, page)

    def ask(self, user: str | None, page: Page, wanted: Preferences) -> None:
        """Raises InvalidRequest, Unauthorized."""
        if user is None:
            raise Unauthorized("Register first: preferences are a user's.")
        if not self.reception:
            raise InvalidRequest("This server keeps no preferences.")
        self.reception.ask(user, page, wanted)

    def of_user(self, user: str | None) -> list[Page]:
        return list(self._by_user.get(user, ())) if user else []

    def users(self) -> list[str]:
        return sorted(self._by_user)

    def tell_all(self, message: ServerMessage) -> None:
        """To every registered page."""
        for user in self.users():
            self.tell(user, message)

    def tell(self, user: str, message: ServerMessage) -> None:
        """To every page of the user."""
        for page in self.of_user(user):
            page.send(message)

    def ring(self, call: Call) -> RingDecision:
        pages = self._by_user.get(call.target, [])
        if self.reception:
            reach = self.reception.reach(call.target, has_page=bool(pages))
        else:
            reach = RingDecision(frozenset({call.target} if pages else ()))
        for user in reach.users:
            for page in self.of_user(user):
                page.ring(call)
        return reach

    def stop_ringing(self, call: Call, user: str | None, reason: str) -> None:
        for one in call.users if user is None else {user}:
            for page in list(self._by_user.get(one, [])):
                page.stop_ringing(call, reason)

    def update_caller(self, call: Call) -> None:
        for user in call.users:
            for page in self.of_user(user):
                page.update_caller(call)
