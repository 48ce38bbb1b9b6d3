"""The certificate that is served: read again when its files change, as renewals change them."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import structlog

CHECK_INTERVAL_S = 5.0
"""How often the files are looked at."""

log = structlog.get_logger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]  # of each file: inode, when it was written, bytes


class Certificate:
    """`context`: for whoever listens; each new connection is given the newest certificate that could be read.

    Raises OSError (including ssl.SSLError) if the first one cannot be read.
    """

    def __init__(self, certificate: Path, key: Path, ca: Path | None = None) -> None:
        self._files = (certificate, key)
        self._ca = ca  # certificates of the issuers, which are sent along with ours
        self._stamp = self._stamp_of_files()
        self._current = self._read()
        self.context = self._read()
        # Called at each handshake. The old context may not be changed: certificate and key would change one by one.
        self.context.sni_callback = self._choose

    def use(self, certificate: Path, key: Path, ca: Path | None = None) -> None:
        """Other files from now on."""
        self._files = (certificate, key)
        self._ca = ca

    def renew(self, *, anyway: bool = False) -> None:
        """Read the files again if they have changed, or `anyway`.

        Of a pair that does not fit (a renewal that is half done, a wrong file) nothing is served: the one before is.
        """
        try:
            stamp = self._stamp_of_files()
            if stamp == self._stamp and not anyway:
                return
            self._stamp = stamp
            self._current = self._read()
        except OSError as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            log.error("the new certificate cannot be used: still serving the previous one", reason=reason or str(error))
            return
        log.info("serving a new certificate", file=str(self._files[0]))

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            self.renew()

    def _choose(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._files)
        if self._ca:
            context.load_verify_locations(self._ca)  # OpenSSL completes the chain that it sends from these
        return context

    def _stamp_of_files(self) -> _Stamp:
        found = [path.stat() for path in (*self._files, *([self._ca] if self._ca else []))]
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in found)
