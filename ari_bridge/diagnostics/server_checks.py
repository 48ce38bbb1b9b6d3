"""Checks of this server: its users, where clients reach it, its certificate, its disk."""

import datetime
import resource
import shutil
import ssl
from pathlib import Path

from cryptography import x509

from ari_bridge.diagnostics.checks import Check, CheckFailed, Subject

MIN_DESCRIPTORS = 10_000
"""MAX_CONNECTIONS by default, and what the server itself needs."""
MIN_FREE_BYTES = 500 * 1024 * 1024
RENEWAL_DAYS = 14
"""A certificate that expires sooner should be renewed."""


class ServerChecks:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def access(self) -> list[Check]:
        return [Check("users", set(), self._users), Check("address", set(), self._listening)]

    def files(self) -> list[Check]:
        return [
            Check("TLS files", set(), self._tls),
            Check("free disk", set(), self._disk),
            Check("file descriptors", set(), self._descriptors),
        ]

    async def _users(self) -> tuple[str, str]:
        subject = self._subject
        if not subject.authentication:
            return "sign-in is off: anybody may call as anybody", ""
        if not subject.users:
            raise CheckFailed(
                "there are no users: nobody can sign in", "`ari-bridge user add NAME`; no restart is needed."
            )
        return f"{len(subject.users)} may sign in", ""

    async def _listening(self) -> tuple[str, str]:
        host = self._subject.http_host
        if host in ("127.0.0.1", "localhost", "::1"):
            return (
                f"the pages are served at {host}: nobody but this machine reaches them",
                "HTTP_HOST=0.0.0.0 with TLS_CERT and TLS_KEY, or a proxy here that has a certificate. A restart of "
                "this server ends no call.",
            )
        if not self._subject.tls_cert:
            return (
                f"the pages are served at {host} without TLS, for a proxy",
                "Only the proxies of TRUSTED_PROXIES are served; browsers give the microphone to https pages alone.",
            )
        return f"the pages are served at {host}", ""

    async def _descriptors(self) -> tuple[str, str]:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard == resource.RLIM_INFINITY:
            return "no limit", ""
        cure = ""
        if hard < max(MIN_DESCRIPTORS, self._subject.max_connections):
            cure = (
                "The server accepts fewer connections if it is started with this limit: LimitNOFILE=65536 in its "
                "systemd unit, `ulimits` in compose.yml, or `ulimit -n`."
            )
        return f"{hard} may be open at once, of a process that is started from here", cure

    async def _tls(self) -> tuple[str, str]:
        cert, key = self._subject.tls_cert, self._subject.tls_key
        if cert is None or key is None:
            return "none set: http", ""
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
            days = _days_left(cert)
        except (ssl.SSLError, OSError, ValueError) as error:
            raise CheckFailed(
                f"{cert} and {key} cannot be used: {error}",
                "TLS_CERT and TLS_KEY are PEM files that belong together and may be read by this user.",
            ) from error
        if days < 0:
            raise CheckFailed(f"{cert} has expired {-days} days ago", "Renew the certificate and restart.")
        return f"{cert} is valid for {days} days", "Renew it soon." if days < RENEWAL_DAYS else ""

    async def _disk(self) -> tuple[str, str]:
        free = shutil.disk_usage(self._subject.data_folder).free
        seen = f"{free // 1024**2} MB free at {self._subject.data_folder.resolve()}"
        if free < MIN_FREE_BYTES:
            raise CheckFailed(seen, f"Make room: {MIN_FREE_BYTES // 1024**2} MB is the least.")
        return seen, ""


def _days_left(cert: Path) -> int:
    """Until the certificate expires; negative afterwards. Raises OSError, ValueError."""
    expires = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
    return (expires - datetime.datetime.now(datetime.UTC)).days
