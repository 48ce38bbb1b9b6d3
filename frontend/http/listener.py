"""The ports that the server listens on, and the certificate that they serve."""

import asyncio
from contextlib import AsyncExitStack

from aiohttp import web

from frontend.http.door import Door
from frontend.http.listening_port import ListeningPort
from frontend.http.server import Runner
from frontend.http.tls import Certificate
from frontend.reload import Reloading
from frontend.settings import Settings


class CannotListen(Exception):
    """A port cannot be used; the text names it."""


class Listener:
    """Of the address in the settings. Raises OSError (including ssl.SSLError) if the certificate cannot be read.

    Args:
        settings: HTTP_HOST, and the files of the certificate.
        door: Decides who may connect.
        opened: Closes what was opened.
    """

    def __init__(self, settings: Settings, door: Door, opened: AsyncExitStack) -> None:
        self._host = settings.http_host
        self._door = door
        self._opened = opened
        self._certificate: Certificate | None = None
        if settings.tls_cert and settings.tls_key:
            self._certificate = Certificate(settings.tls_cert, settings.tls_key, settings.tls_ca)

    async def listen(self, app: web.Application, port: int, *, secure: bool) -> str:
        """HOST:PORT, with a free port for 0. Raises CannotListen."""
        tls = self._certificate.context if secure and self._certificate else None
        listening = ListeningPort(Runner(app), self._host, port, self._door, tls)
        self._opened.push_async_callback(listening.close)
        try:
            await listening.open()
        except OSError as error:
            raise CannotListen(f"cannot listen on {self._host}:{port}: {error.strerror or error}") from error
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{listening.port}"

    def renew(self, reloading: Reloading) -> None:
        """Serve a certificate that has changed on the disk, or that the settings name from now on."""
        if (certificate := self._certificate) is None:
            return

        def use(new: Settings) -> None:
            if new.tls_cert and new.tls_key:
                certificate.use(new.tls_cert, new.tls_key, new.tls_ca)

        reloading.uses(use, "tls_cert", "tls_key", "tls_ca")
        reloading.checks(lambda: certificate.renew(anyway=True))
        watching = asyncio.create_task(certificate.watch())
        self._opened.callback(watching.cancel)
