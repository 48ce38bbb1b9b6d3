"""Who may see a call, and who may command it: the one gate of the WebSocket and of the HTTP API.

A call that a client may not see does not exist for it: it gets the same answer as for an id that was never used, so
that guessing ids reveals nothing. What is not here is open to everybody who may use the API: `/live`, `/stats` and
`/events` show all calls.
"""

from dataclasses import dataclass

from ari_bridge.cdr import owner
from ari_bridge.errors import UnknownCall
from ari_bridge.fsm.call import Call


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends a request.

    Args:
        user: The user that has signed in or, on a WebSocket, registered; None if unknown.
        unrestricted: Every call may be seen and commanded.
    """

    user: str | None
    unrestricted: bool = False

    @classmethod
    def of_request(cls, user: str | None) -> "Principal":
        """The sender of an HTTP request: `user` is None only if sign-in is off, and then nothing is restricted."""
        return cls(user, unrestricted=user is None)

    def owns(self, call: Call) -> bool:
        """The call was placed or accepted by this user."""
        return self.unrestricted or (self.user is not None and self.user == call.user)

    def takes_part(self, call: Call) -> bool:
        """The user's own call, or one that has rung for this user."""
        return self.owns(call) or self.user in call.users

    def sees(self, call: Call) -> bool:
        """As `takes_part`; and a call to this user's number that has rung nowhere."""
        return self.takes_part(call) or self.sees_records_of(owner(call))

    def sees_records_of(self, user: str | None) -> bool:
        """The call records and recordings of `user`; None: of calls that belong to no user."""
        return self.unrestricted or (self.user is not None and self.user == user)


def check_owns(principal: Principal, call: Call) -> None:
    """Raises UnknownCall."""
    _check(principal.owns(call), call)


def check_takes_part(principal: Principal, call: Call) -> None:
    """Raises UnknownCall."""
    _check(principal.takes_part(call), call)


def check_sees(principal: Principal, call: Call) -> None:
    """Raises UnknownCall."""
    _check(principal.sees(call), call)


def _check(allowed: bool, call: Call) -> None:
    if not allowed:
        raise UnknownCall.named(call.id)
