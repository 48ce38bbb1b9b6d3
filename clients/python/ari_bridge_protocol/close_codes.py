"""WebSocket close codes of our own (RFC 6455 section 7.4.2)."""

CLOSE_INACTIVE = 4000
"""The client has sent nothing for too long, though it owns a call and had sent pings: it seems to be frozen."""
CLOSE_SUPERSEDED = 4001
"""The signaling session goes on in another connection."""
CLOSE_SIGN_IN_TIMEOUT = 4408
"""Nobody has signed in on this connection in time, with `register` or `resume`."""
CLOSE_SIGN_IN_ENDED = 4401
"""The sign-in has ended: the user is locked or removed, has another password, or has signed out everywhere."""
