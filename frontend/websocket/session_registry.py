"""Which open connection each signaling session is in. The several pages of one user: `presence/registrar.py`.

Theory of resume. A page is known to the server by its signaling session, not by its connection: `welcome` names the
session, and calls remember it (`Call.session`). When the connection is lost, the page connects again and sends
`resume` with the token of the old session: the new connection takes that session over, attaches its calls, and an
older connection that is only half-open is closed (`CLOSE_SUPERSEDED`). The token is the session's name with our
signature (`auth/session_tokens.py`), so nothing about a session has to be stored, and a restarted server accepts it.
A call whose session is in no connection has no owner: another page of its user may take it over without asking.
"""

from typing import Generic, Protocol, TypeVar

from ari_bridge.errors import CallerError


class OwnedElsewhere(CallerError):
    """Another page of the user owns the call, and `takeOver` was not requested."""

    code = "owned_elsewhere"


class Supersedable(Protocol):
    def supersede(self) -> None:
        """The session goes on in another connection: let go of its calls, and close."""


C = TypeVar("C", bound=Supersedable)


class SessionRegistry(Generic[C]):
    def __init__(self) -> None:
        self._by_session: dict[str, C] = {}

    def bind(self, session: str, connection: C) -> None:
        """The session goes on in this connection; the one that it was in is superseded."""
        before = self._by_session.get(session)
        self._by_session[session] = connection
        if before is not None and before is not connection:
            before.supersede()

    def release(self, session: str, connection: C) -> None:
        """The session is in no connection any more, unless it has been bound to another one."""
        if self._by_session.get(session) is connection:
            del self._by_session[session]

    def owner(self, session: str | None) -> C | None:
        """The open connection of a session."""
        return self._by_session.get(session) if session else None
