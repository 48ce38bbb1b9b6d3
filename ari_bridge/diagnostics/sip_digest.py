"""Digest authentication of SIP requests (RFC 7616, RFC 8760): the answer to a challenge. Pure but for its nonce."""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_ALGORITHMS: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "SHA-256": hashlib.sha256,
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
}
"""The better first."""


class UnknownChallenge(ValueError):
    """None of the challenges can be answered; the text says what they want."""


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str = field(repr=False)


def answer(challenges: list[str], credentials: Credentials, method: str, uri: str) -> str:
    """The value of (Proxy-)Authorization. `challenges`: values of WWW-Authenticate or Proxy-Authenticate.

    Raises UnknownChallenge.
    """
    known = [(scheme, dict(found)) for scheme, found in map(_read, challenges)]
    for algorithm in _ALGORITHMS:
        for scheme, parameters in known:
            if scheme == "digest" and parameters.get("algorithm", "MD5").upper() == algorithm:
                if "nonce" in parameters and _takes_auth(parameters):
                    return _answer(parameters, algorithm, credentials, method, uri)
    wanted = ", ".join(f"{scheme} {parameters.get('algorithm', '')}".strip() for scheme, parameters in known)
    raise UnknownChallenge(f"it wants {wanted[:120] or 'nothing that is known'}, not Digest with MD5 or SHA-256")


def is_stale(challenges: list[str]) -> bool:
    """Whether only the nonce was too old, not the password wrong."""
    return any(dict(found).get("stale", "").lower() == "true" for _, found in map(_read, challenges))


def _read(challenge: str) -> tuple[str, list[tuple[str, str]]]:
    scheme, _, rest = challenge.strip().partition(" ")
    return scheme.lower(), [(name.lower(), quoted or token) for name, quoted, token in _PARAMETER.findall(rest)]


def _takes_auth(parameters: dict[str, str]) -> bool:
    return "qop" not in parameters or "auth" in re.split(r"[\s,]+", parameters["qop"])


def _answer(parameters: dict[str, str], algorithm: str, credentials: Credentials, method: str, uri: str) -> str:
    def digest(text: str) -> str:
        return _ALGORITHMS[algorithm](text.encode()).hexdigest()

    realm, nonce = parameters.get("realm", ""), parameters["nonce"]
    a1 = digest(f"{credentials.user}:{realm}:{credentials.password}")
    a2 = digest(f"{method}:{uri}")
    quoted = {"username": credentials.user, "realm": realm, "nonce": nonce, "uri": uri}
    plain = {"algorithm": algorithm}
    if "qop" in parameters:
        count, client_nonce = "00000001", secrets.token_hex(8)
        quoted["response"] = digest(f"{a1}:{nonce}:{count}:{client_nonce}:auth:{a2}")
        quoted["cnonce"] = client_nonce
        plain |= {"qop": "auth", "nc": count}
    else:
        quoted["response"] = digest(f"{a1}:{nonce}:{a2}")
    if "opaque" in parameters:
        quoted["opaque"] = parameters["opaque"]
    pairs = [*(f'{name}="{value}"' for name, value in quoted.items()), *(f"{k}={v}" for k, v in plain.items())]
    return f"Digest {', '.join(pairs)}"
