"""`ari-bridge serve`: the server until SIGTERM or SIGINT, which `app.run` answers by draining it.

Imports what serving needs, and nothing else.
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
from frontend.app import CannotListen, run
from frontend.cli import logging as logs
from frontend.settings import InvalidSettings, Settings, load

# Exit statuses, for whoever starts it again.
ENDED, CANNOT_START, WRONG_SETTINGS = 0, 1, 2


def serve() -> int:
    """Serves until SIGINT or SIGTERM; returns the exit status. What is wrong is told on standard error.

    SIGHUP reads the settings again. One that comes while the server starts would end it, and is not needed yet.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        settings = load()
    except InvalidSettings as error:
        sys.stderr.write(f"The settings are wrong:\n{error}\n")
        return WRONG_SETTINGS
    logs.configure(settings.log_level, settings.log_format)
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
        structlog.get_logger(__name__).error("cannot start", reason=str(error))
        return CANNOT_START
    return ENDED


async def _serve(settings: Settings) -> None:
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    await run(settings, stop, reload, lambda new: logs.configure(new.log_level, new.log_format))
