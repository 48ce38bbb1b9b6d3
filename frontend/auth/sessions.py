"""Sessions: what a page is to us over several connections, a reload and a restart of ours.

A session is a random name, and its token that name with our signature: nothing is kept of it here. Calls
remember the name of the session that holds them, so whoever shows the token gets the calls back.
"""

import base64
import hashlib
import hmac
import secrets

from frontend.auth.authenticator import Unauthorized

_ID_BYTES, _SIGNATURE_BYTES = 9, 18


class Sessions:
    """`secret`: the same over restarts, or every page would lose its calls with one."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def new(self) -> str:
        """The name of a new session."""
        return secrets.token_urlsafe(_ID_BYTES)

    def token(self, session: str) -> str:
        """What the page keeps, to be known by: `NAME.SIGNATURE`."""
        return f"{session}.{self._sign(session)}"

    def read(self, token: str) -> str:
        """The session's name. Raises Unauthorized where the token is not one of ours."""
        session, _, signature = token.partition(".")
        if not session or not hmac.compare_digest(signature.encode(), self._sign(session).encode()):
            raise Unauthorized("The session is not known here: go on with the one of welcome.")
        return session

    def _sign(self, session: str) -> str:
        digest = hmac.new(self._key, b"session " + session.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode()
