"""What one WebSocket may take of its user's share: a connection, sign-ins, messages.

The share is the user's, so that more connections are no way around it. Sign-ins with a password are limited in
`auth/sign_in_pace.py`, requests in `http/request_gate.py`.
"""

from aiohttp import web

from ari_bridge.errors import TooMany
from frontend.auth.principal import Principal
from frontend.http.connection_table import ConnectionsFull, Holder, HolderKind
from frontend.http.request_gate import describe
from frontend.http.server import ClientProtocol
from frontend.http.token_buckets import Rate, TokenBucket, TokenBuckets

MESSAGE_RATE = Rate(per_second=50.0, burst=100.0)
"""Messages of one connection. Those above it get an error."""
USER_MESSAGE_RATE = Rate(per_second=150.0, burst=600.0)
"""Messages of all connections of a user."""
REGISTER_RATE = Rate(per_second=1.0, burst=30.0)
"""`register` and `resume` of a user. Each is answered with the whole directory and the user's calls."""
MAX_EXCESS_MESSAGES = 1000
"""Consecutive messages above the rate; more close the connection (1008)."""


class UserShares:
    """What the connections of each user share."""

    def __init__(self) -> None:
        self.messages = TokenBuckets(USER_MESSAGE_RATE)
        self.registrations = TokenBuckets(REGISTER_RATE)


class Quota:
    """Of one connection.

    Args:
        request: The upgrade request.
        shares: Those of all users.
        required: Whether sign-in is on; until somebody has signed in, another connection may take the place.
    """

    def __init__(self, request: web.Request, shares: UserShares, *, required: bool) -> None:
        self._shares = shares
        self._protocol = request.protocol if isinstance(request.protocol, ClientProtocol) else None
        self._own = TokenBucket(MESSAGE_RATE)
        self._user: TokenBucket | None = None
        self.refused = 0  # consecutive messages
        if self._protocol and required:
            self._protocol.wait_for_client(True)

    def claim(self, principal: Principal) -> None:
        """The principal has signed in on the connection; nobody can if its `user_id` is "". Raises TooMany.

        A guest of a page shares with all guests of its network, and stays among the strangers.
        """
        if not principal.user_id:
            return
        if self._shares.registrations.take(principal.counted_as):
            raise TooMany("You register too often.")
        if self._protocol:
            if not principal.public:
                try:
                    self._protocol.hold(Holder(HolderKind.USER, principal.user_id))
                except ConnectionsFull as error:
                    raise TooMany(describe(error)) from None
            self._protocol.wait_for_client(False)
        self._user = self._shares.messages.of(principal.counted_as)

    def take_message(self) -> bool:
        """Whether one more message may be handled."""
        if self._own.take() or (self._user and self._user.take()):
            self.refused += 1
            return False
        self.refused = 0
        return True
