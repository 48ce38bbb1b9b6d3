"""The Unix socket in STATE_DIR by which `ari-bridge calls` reaches the server on its own machine, without a password.

Who may write to it could read the key that signs tokens as well: it gives away nothing.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import structlog
from aiohttp import web

from frontend.http import middleware
from frontend.http.server import Runner

NAME = "control.sock"
MAX_BODY_BYTES = 16 * 1024

log = structlog.get_logger(__name__)


@contextmanager
def socket_path(folder: Path) -> Iterator[str]:
    """A path of the socket in `folder` that is short enough (107 bytes, unix(7)). Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


async def control_socket(routes: Iterable[web.AbstractRouteDef], folder: Path) -> AsyncExitStack:
    """Serve `routes` there until the stack is closed; the socket of an earlier process is replaced.

    Calls do not need it: if it cannot be made, that is logged.
    """
    app = web.Application(middlewares=[middleware.problem_responses], client_max_size=MAX_BODY_BYTES)
    app.add_routes(routes)
    async with AsyncExitStack() as opened:
        runner = Runner(app)
        await runner.setup()
        opened.push_async_callback(runner.cleanup)
        before = os.umask(0o177)  # nobody else may connect, from the first moment on
        try:
            with socket_path(folder) as path:
                await web.UnixSite(runner, path).start()
        except OSError as error:
            log.error("`ari-bridge calls` cannot be used: there is no control socket", reason=str(error))
        finally:
            os.umask(before)
        return opened.pop_all()
