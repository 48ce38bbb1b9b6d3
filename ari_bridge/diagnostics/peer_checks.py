"""Checks of what is sent to other servers: databases and object stores, in clear or not."""

import ipaddress
from urllib.parse import parse_qs, urlsplit

from ari_bridge.diagnostics.checks import Check, Subject

_ENCRYPTED = ("require", "verify-ca", "verify-full")


class PeerChecks:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def all(self) -> list[Check]:
        """None where everything is kept on this machine."""
        found = []
        if any(url for _, url in self._subject.databases):
            found.append(Check("PostgreSQL transport", set(), self._databases))
        if self._subject.recording_s3_endpoint:
            found.append(Check("S3 transport", set(), self._store))
        return found

    async def _databases(self) -> tuple[str, str]:
        clear, unverified = [], []
        for name, url in self._subject.databases:
            parts = urlsplit(url)
            if not url or is_here(parts.hostname or ""):
                continue
            [mode] = parse_qs(parts.query).get("sslmode", [""])[:1]
            if mode not in _ENCRYPTED:
                clear.append(name)
            elif mode != "verify-full":
                unverified.append(name)
        if clear:
            return (
                f"{', '.join(clear)}: passwords, names and numbers may cross the network in clear",
                "Add ?sslmode=verify-full to the URL (PGSSLROOTCERT names the CA), and let pg_hba.conf take `hostssl` "
                "alone.",
            )
        if unverified:
            return (
                f"{', '.join(unverified)}: encrypted, but whose server it is is not checked",
                "?sslmode=verify-full checks its certificate; PGSSLROOTCERT names the CA.",
            )
        return "all are on this machine, or encrypted and checked", ""

    async def _store(self) -> tuple[str, str]:
        parts = urlsplit(self._subject.recording_s3_endpoint)
        if parts.scheme == "http" and not is_here(parts.hostname or ""):
            return (
                f"recordings cross the network to {parts.hostname} in clear",
                "RECORDING_S3_ENDPOINT with https://; and let the bucket refuse requests without TLS "
                "(aws:SecureTransport).",
            )
        return f"{parts.scheme}://{parts.netloc}", ""


def is_here(host: str) -> bool:
    """Whether it is this machine."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
