"""The server's two addresses from either of them. Pure."""

from yarl import URL

_HTTP = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


def ws_url(url: str) -> str:
    """The WebSocket of a server: `http://host:3000` → `ws://host:3000/ws`; a ws:// address stays as it is."""
    given = _parsed(url)
    if given.scheme in ("ws", "wss"):
        return url
    path = given.path.rstrip("/")
    return str(given.with_scheme("wss" if given.scheme == "https" else "ws").with_path(f"{path}/ws"))


def http_url(url: str) -> str:
    """Where the HTTP API is, without a slash at its end: `ws://host:3000/ws` → `http://host:3000`."""
    given = _parsed(url)
    path = given.path.rstrip("/")
    if given.scheme in ("ws", "wss"):
        path = path.removesuffix("/ws")
    return str(given.with_scheme(_HTTP[given.scheme]).with_path(path)).rstrip("/")


def _parsed(url: str) -> URL:
    """Raises ValueError."""
    given = URL(url)
    if given.scheme not in _HTTP or not given.host:
        raise ValueError(f"a server's address begins with http://, https://, ws:// or wss://, not {url!r}")
    return given
