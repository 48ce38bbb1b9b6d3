"""Who has a page open: which connections take calls for which user."""

from typing import Protocol

import structlog

from ari_bridge.calls.state import Call

log = structlog.get_logger(__name__)


class Page(Protocol):
    """One registered connection. Both are quick and never wait."""

    def ring(self, call: Call) -> None: ...

    def stop_ringing(self, call: Call, reason: str) -> None:
        """Also told where it does not ring, or has accepted the call itself."""


class OpenPages:
    """The engine's `Pages`. The number that is called is the user's name."""

    def __init__(self) -> None:
        self._by_user: dict[str, list[Page]] = {}

    def register(self, user: str, page: Page) -> None:
        self._by_user.setdefault(user, []).append(page)

    def unregister(self, user: str, page: Page) -> None:
        pages = self._by_user.get(user, [])
        if page in pages:
            pages.remove(page)
        if not pages:
            self._by_user.pop(user, None)

    def of_user(self, user: str | None) -> list[Page]:
        return list(self._by_user.get(user, ())) if user else []

    def users(self) -> list[str]:
        return sorted(self._by_user)

    def ring(self, call: Call) -> frozenset[str]:
        pages = self._by_user.get(call.target, [])
        for page in pages:
            page.ring(call)
        return frozenset({call.target} if pages else ())

    def stop_ringing(self, call: Call, user: str | None, reason: str) -> None:
        for one in call.users if user is None else {user}:
            for page in list(self._by_user.get(one, [])):
                page.stop_ringing(call, reason)
