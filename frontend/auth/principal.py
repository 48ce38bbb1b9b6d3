"""Who sends a request or holds a connection. frontend/calls/permissions.py says what that allows."""

from dataclasses import dataclass
from typing import Literal

from ari_bridge.accounts.names import InvalidUser
from ari_bridge.accounts.user import DEFAULT_TENANT
from ari_bridge.audit import Actor, ActorKind
from ari_bridge.guest_names import guest_key, shown_name
from frontend.auth.grants import Grant
from frontend.auth.sign_in_pace import network_of

ON_THIS_MACHINE = " on this machine"
"""Ends the name of who has a shell on the server, which therefore is no user's."""


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
        kind: What it signs in with: a password ("user"), an API key ("key"), a client token of one ("token"), or the
            control socket ("cli").
        key_id: The API key, if there is one; when that ends, so does the principal.
        key_generation: Which secret of the key.
        public: By an API key that everybody can read in a page: in limits it counts as a stranger does, by address.
        max_calls: Concurrent calls of the key and its guests together; 0: as many as the server allows.
        numbers: All that it may dial, as they are dialled, with `*` at the end all that begin so; none: all.
        metadata: Of its client token, as pairs; the calls that it places and accepts have it.
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
    kind: Literal["user", "key", "token", "cli"] = "user"
    key_id: str = ""
    key_generation: int = 0
    public: bool = False
    max_calls: int = 0
    numbers: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def is_guest(self) -> bool:
        """Somebody who has opened a page with an API key, and is nobody else."""
        return self.kind == "token" and guest_key(self.name or "") is not None

    @property
    def counted_as(self) -> str:
        """Whose share of the server it uses: with a key that everybody can read, that of all who do in this network."""
        return f"guests {network_of(self.address)}" if self.public else self.user_id

    @property
    def shown_as(self) -> str:
        """The name for those who are called."""
        return shown_name(self.name or "")

    def may(self, grant: Grant) -> bool:
        return self.unrestricted or grant in self.grants

    @property
    def actor(self) -> Actor:
        """Who it is, for the audit log."""
        name = self.name or ""
        match self.kind:
            case "cli":
                return Actor(ActorKind.CLI, name=name.removesuffix(ON_THIS_MACHINE))
            case "token":
                return Actor(ActorKind.TOKEN, self.key_id, name, self.tenant, self.address)
            case "key":
                return Actor(ActorKind.KEY, self.user_id, name, self.tenant, self.address)
        return Actor(ActorKind.USER, self.user_id, name, self.tenant, self.address)


def check_person(principal: Principal) -> None:
    """What concerns the user's own sign-in is for the user alone, not for an API key or a token that a program made.

    Raises InvalidUser.
    """
    if principal.kind != "user":
        raise InvalidUser("only a user who has signed in with a password may do this", "user")
