"""Tokens of signaling sessions: what a page is known by over several connections, a reload, and a restart of ours.

The token names the session and is signed by us, so nothing about a session is stored. Calls remember the name of
the session that owns them: a page that sends the token gets its calls back.
"""

import secrets

import jwt

from frontend.auth.authenticator import Unauthorized

_ALGORITHM = "HS256"
_NAME_BYTES = 9


class SessionTokens:
    """Makes and reads them.

    Args:
        secret: Signs the tokens. With another one, for example after a restart, every page would lose its calls.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def new(self) -> str:
        """The name of a new session."""
        return secrets.token_urlsafe(_NAME_BYTES)

    def token(self, session: str) -> str:
        """What the page keeps, and sends in `resume`."""
        return jwt.encode({"session": session}, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> str:
        """The name of the session. Raises Unauthorized for a token that this server did not issue."""
        try:
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options={"require": ["session"]})
        except jwt.InvalidTokenError:
            raise Unauthorized("The session is not known here: use the one in `welcome`.") from None
        return str(claims["session"])
