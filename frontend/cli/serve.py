"""`ari-bridge serve`: runs the server until SIGTERM or SIGINT, on which it is drained; SIGHUP reads the settings again.

Imports only what serving needs.
"""

import asyncio
import signal
import sys

import structlog
import uvloop

from ari_bridge.accounts import InvalidUser
from ari_bridge.ari.ownership import ApplicationInUse
from ari_bridge.call_store import StoreRefused
from ari_bridge.dial_permissions import InvalidPermissions
from ari_bridge.hooks import PluginError
from frontend.app import App
from frontend.cli import logging as logs
from frontend.http.descriptors import raise_limit
from frontend.http.listener import CannotListen
from frontend.settings import InvalidSettings, Settings, load

log = structlog.get_logger(__name__)

# Exit statuses, for whoever starts it again.
ENDED, CANNOT_START, WRONG_SETTINGS = 0, 1, 2


def serve() -> int:
    """Serve until SIGINT or SIGTERM; return the exit status. Invalid settings are reported on standard error.

    SIGHUP reads the settings again. It is ignored while the server starts: by default it would end the process.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        settings = load()
    except InvalidSettings as error:
        sys.stderr.write(f"The settings are wrong:\n{error}\n")
        return WRONG_SETTINGS
    logs.configure(settings.log_level, settings.log_format)
    raise_limit()
    try:
        uvloop.run(_serve(settings))
    except (
        CannotListen,
        PluginError,
        InvalidPermissions,
        InvalidUser,
        StoreRefused,
        ApplicationInUse,
        OSError,
    ) as error:
        log.error("cannot start", reason=str(error))
        return CANNOT_START
    return ENDED


async def _serve(settings: Settings) -> None:
    """Serve until a signal; then drain, and leave without touching a call."""
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    app = App(settings)
    app.reloading.uses(lambda new: logs.configure(new.log_level, new.log_format), "log_level", "log_format")
    await app.start()
    reloading = asyncio.create_task(_reload(app, reload))
    try:
        await stop.wait()
        log.info("draining: no new calls; active calls continue without this process", calls=len(app.calls.live()))
        await app.drain(settings.drain_seconds)
    finally:
        reloading.cancel()
        await app.close()


async def _reload(app: App, asked: asyncio.Event) -> None:
    while True:
        await asked.wait()
        asked.clear()
        app.reload()
