"""Who sends a request or holds a connection. frontend/calls/permissions.py says what that allows."""

from dataclasses import dataclass

from ari_bridge.accounts.user import DEFAULT_TENANT
from ari_bridge.audit import Actor, ActorKind
from frontend.auth.grants import Grant


@dataclass(frozen=True, slots=True)
class Principal:
    """The sender of a request.

    Args:
        name: The user that has signed in or, on a WebSocket, registered; None if unknown.
        user_id: Never changes, and no other user ever has it; "" if nobody signs in.
        since: Calls and recordings of the name from before then (Unix seconds) are not this user's.
        generation: That of the user when the token was made: a higher one ends it.
        session_id: Of the sign-in session, or of the token, if that is of an earlier version; "" if nobody signs in.
        address: The client's, proxies left out.
        expires_at: When the token ends, Unix seconds; None: it does not.
        unrestricted: Sign-in is off, and everything is allowed.
    """

    name: str | None
    user_id: str = ""
    tenant: str = DEFAULT_TENANT
    roles: tuple[str, ...] = ()
    grants: frozenset[Grant] = frozenset()
    since: float = 0.0
    generation: int = 0
    session_id: str = ""
    address: str = ""
    expires_at: float | None = None
    unrestricted: bool = False

    def may(self, grant: Grant) -> bool:
        return self.unrestricted or grant in self.grants

    @property
    def actor(self) -> Actor:
        """Who it is, for the audit log."""
        return Actor(ActorKind.USER, self.user_id, self.name or "", self.tenant, self.address)
