"""Codes of authenticator apps (TOTP, RFC 6238): 6 digits, SHA-1, a step of 30 s, which is what all apps can.

The secrets must be read to verify a code, so they cannot be hashed: they are sealed with a key in a file of its own. A
copy of the database alone gives no codes.
"""

import hmac
from contextlib import suppress
from pathlib import Path

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken

from ari_bridge import atomic_file

ISSUER = "ari-bridge"
STEP_S = 30
WINDOW = 1
"""How many steps the clock of the app may be away, either way."""
KEY_FILE = "second-factor-key"


class SecretUnreadable(Exception):
    """The key that has sealed a secret is gone."""


class SecretKey:
    """The key that seals the secrets: made when the first one is sealed, mode 600.

    Args:
        path: Its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key = b""  # once it was read

    def seal(self, secret: str) -> str:
        """Raises OSError, ValueError (the file has no key)."""
        if not self._key and not self.path.exists():
            with suppress(FileExistsError):  # another one was sealed first: with the key that there is now
                self._write(Fernet.generate_key())
        return self._fernet().encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises SecretUnreadable."""
        try:
            return self._fernet().decrypt(sealed).decode()
        except (OSError, ValueError, InvalidToken) as error:
            raise SecretUnreadable(str(error) or type(error).__name__) from error

    def restore(self) -> None:
        """Write the file again, which was deleted. Raises OSError."""
        if self._key:
            self._write(self._key)

    def _fernet(self) -> Fernet:
        key = self._key or self.path.read_bytes()
        fernet = Fernet(key)
        self._key = key
        return fernet

    def _write(self, key: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write_new(self.path, key)


def new_secret() -> str:
    """160 bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def uri_of(secret: str, user: str) -> str:
    """What an app reads from the QR code (otpauth://, Key URI Format)."""
    return pyotp.TOTP(secret).provisioning_uri(name=user, issuer_name=ISSUER)


def qr_code(text: str) -> list[str]:
    """The modules of a QR code, a row each: 1 is dark. Without the margin of 4 that it needs around it."""
    return ["".join(map(str, row)) for row in segno.make(text, error="m", micro=False).matrix]


def step_of(secret: str, code: str, now: float) -> int | None:
    """The time step of which this is the code, if it is one of those around `now` (Unix seconds). Pure."""
    totp, current, found = pyotp.TOTP(secret), int(now) // STEP_S, None
    for step in range(current - WINDOW, current + WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step  # all are compared: how long it takes tells nothing
    return found
