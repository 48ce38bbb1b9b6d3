"""SIP passwords: what a phone or a program sends to the SIP edge in the name of a user. Pure but for the chance in one.

A SIP password is made by the server, is another one than that for signing in, and opens nothing but SIP. What is kept
of it are its digests (HA1), which the edge needs to check an answer to its challenge (RFC 7616, RFC 8760).
"""

import hashlib
import secrets
from dataclasses import dataclass

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike: it is typed into desk phones
_GROUPS, _GROUP = 6, 4  # 118 bits: nobody finds it from its digests


@dataclass(frozen=True, slots=True)
class SipCredential:
    """What is kept of a SIP password; `ha1` and `ha1_sha256` are hexadecimal."""

    realm: str
    ha1: str
    ha1_sha256: str

    @classmethod
    def of(cls, name: str, realm: str, password: str) -> "SipCredential":
        text = f"{name}:{realm}:{password}".encode()
        return cls(realm, hashlib.md5(text, usedforsecurity=False).hexdigest(), hashlib.sha256(text).hexdigest())


NO_CREDENTIAL = SipCredential("", "", "")


def new_sip_password() -> str:
    """Of letters and digits alone: every phone can store it, and none has to escape it."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP))
