"""Tokens of signaling sessions: what a page is known by over several connections, a reload, and a restart of ours.

The token names the session and its user, and is signed by us, so nothing about a session is stored. Calls remember the
name of the session that owns them: a page that sends the token gets its calls back. With sign-in it needs a token of
the same user beside it.
"""

import secrets
import time

import jwt

from ari_bridge.accounts import AccountsUnavailable
from ari_bridge.accounts.signing_keys import CLOCK_LEEWAY_S, MAX_TOKEN_LIFETIME_S
from frontend.auth.authenticator import Unauthorized
from frontend.auth.token_signer import TokenSigner

_ALGORITHM = "HS256"
_AUDIENCE = "ari-bridge/session"
_FILE = "file"  # the `kid` of the secret in the state folder
_NAME_BYTES = 9


class SessionTokens:
    """Makes and reads them.

    Args:
        secret: Of this server: signs without sign-in, and while the database with the keys cannot be read.
        signer: Signs with the keys of the database; None: without sign-in.
    """

    def __init__(self, secret: str, signer: TokenSigner | None = None) -> None:
        self._secret = secret
        self._signer = signer

    def new(self) -> str:
        """The name of a new session."""
        return secrets.token_urlsafe(_NAME_BYTES)

    def token(self, session: str, user_id: str = "") -> str:
        """What the page keeps, and sends in `resume`. `user_id`: whose the session is, if that is known."""
        now = int(time.time())
        claims = {"session": session, "uid": user_id, "iat": now, "exp": now + int(MAX_TOKEN_LIFETIME_S)}
        if self._signer:
            try:
                return self._signer.sign(claims, _AUDIENCE)
            except AccountsUnavailable:
                pass
        return jwt.encode(claims | {"aud": _AUDIENCE}, self._secret, algorithm=_ALGORITHM, headers={"kid": _FILE})

    def read(self, token: str) -> tuple[str, str]:
        """The name of the session, and the id of its user ("": not known yet).

        Raises Unauthorized for a token that this server did not issue, or that has expired.
        """
        try:
            if self._signer and jwt.get_unverified_header(token).get("kid") != _FILE:
                claims = self._signer.verify(token, _AUDIENCE)
            else:
                claims = jwt.decode(
                    token,
                    self._secret,
                    algorithms=[_ALGORITHM],
                    audience=_AUDIENCE,
                    options={"require": ["session", "exp", "aud"], "verify_iat": False},
                    leeway=CLOCK_LEEWAY_S,
                )
            return str(claims["session"]), str(claims["uid"])
        except (jwt.InvalidTokenError, KeyError):
            raise Unauthorized("The session is not known here: use the one in `welcome`.") from None
