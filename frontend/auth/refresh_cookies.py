"""The refresh tokens of our own pages: in cookies, one for each session, that no script can read.

A page names its session in the body; the cookie alone does nothing. It is sent to `/session` and below only, and never
by another site (SameSite=Strict), so there is no request that a foreign page could forge with it. It has no lifetime:
it ends with the browser, as the storage of the tab does. Each tab that signs in has a session, and several may be
different users; duplicated tabs share the cookie, and with it the newest token.
"""

from collections.abc import Iterable

from aiohttp import web

from ari_bridge.accounts.refresh_tokens import RefreshToken, parse

_PREFIX = "ari-bridge-session-"
_PATH = "/session"
MAX_COOKIES = 40
"""Of one browser. A header line of 8190 bytes has room for them (aiohttp)."""


def refresh_token_of(request: web.Request, session: str) -> str | None:
    """The refresh token of the session, if the browser has it."""
    value = request.cookies.get(_PREFIX + session)
    return None if value is None else f"{session}.{value}"


def sessions_of(request: web.Request) -> list[str]:
    """The sessions whose refresh tokens the browser has."""
    names = [name.removeprefix(_PREFIX) for name in request.cookies if name.startswith(_PREFIX)]
    return [name for name in names if parse(f"{name}.a.b")]


def set_cookie(response: web.StreamResponse, token: RefreshToken, *, secure: bool) -> None:
    """`secure`: the browser uses HTTPS."""
    response.set_cookie(
        _PREFIX + token.session,
        f"{token.family}.{token.secret}",
        path=_PATH,
        httponly=True,
        samesite="Strict",
        secure=secure,
    )


def delete_cookies(response: web.StreamResponse, sessions: Iterable[str], *, secure: bool) -> None:
    for session in sessions:
        response.del_cookie(_PREFIX + session, path=_PATH, httponly=True, samesite="Strict", secure=secure)
