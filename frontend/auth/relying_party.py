"""The server's side of WebAuthn (W3C Web Authentication Level 3): what a browser is asked, and whether it is right.

Keys are a second factor here, after the password: so neither a PIN of the key (user verification) nor its storing the
user (a resident key) is asked for, and no attestation of who has made it. Pure, but for the random challenges.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import webauthn
from msgspec import Meta
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ari_bridge.accounts import User
from ari_bridge.accounts.security_keys import NewSecurityKey, SecurityKey

RP_NAME = "ari-bridge"
CHALLENGE_LIFETIME_S = 120.0
"""How long one may look for the key and touch it."""
_CHALLENGE_BYTES = 32
_TRANSPORTS = {transport.value: transport for transport in AuthenticatorTransport}

Base64Url = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]*$", max_length=8192, description="base64url")]
Options = dict[str, Any]


class AssertionResponse(msgspec.Struct, frozen=True, rename="camel"):
    """`AuthenticatorAssertionResponse`"""

    client_data_json: Base64Url = msgspec.field(name="clientDataJSON")
    authenticator_data: Base64Url
    signature: Base64Url


class Assertion(msgspec.Struct, frozen=True):
    """What `navigator.credentials.get()` gives (`AuthenticationResponseJSON`)."""

    id: Base64Url
    response: AssertionResponse


class AttestationResponse(msgspec.Struct, frozen=True, rename="camel"):
    """`AuthenticatorAttestationResponse`"""

    client_data_json: Base64Url = msgspec.field(name="clientDataJSON")
    attestation_object: Base64Url
    transports: Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(max_length=10)] = []


class Registration(msgspec.Struct, frozen=True):
    """What `navigator.credentials.create()` gives (`RegistrationResponseJSON`)."""

    id: Base64Url
    response: AttestationResponse


class InvalidCredential(Exception):
    """It was made for something else, or by nobody with the key; the text says why, for the log."""


class RelyingParty:
    """This server, as keys know it.

    Args:
        origins: Of its pages, as `check_origins` has taken them; none: there are no security keys.
    """

    def __init__(self, origins: Sequence[str] = ()) -> None:
        self._origins = [*origins]
        self._id = host_of(origins[0]) if origins else ""

    @property
    def enabled(self) -> bool:
        return bool(self._origins)

    def registration_options(self, user: User, present: Iterable[SecurityKey], challenge: bytes) -> Options:
        """`PublicKeyCredentialCreationOptionsJSON`. `present`: the user's, which are not registered twice."""
        options = webauthn.generate_registration_options(
            rp_id=self._id,
            rp_name=RP_NAME,
            user_id=user.id.encode(),
            user_name=user.name,
            user_display_name=user.display_name or user.name,
            challenge=challenge,
            timeout=int(CHALLENGE_LIFETIME_S * 1000),
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.DISCOURAGED,
            ),
            exclude_credentials=_descriptors(present),
        )
        return _as_json(options)

    def assertion_options(self, keys: Iterable[SecurityKey], challenge: bytes) -> Options:
        """`PublicKeyCredentialRequestOptionsJSON`. `keys`: the user's."""
        options = webauthn.generate_authentication_options(
            rp_id=self._id,
            challenge=challenge,
            timeout=int(CHALLENGE_LIFETIME_S * 1000),
            allow_credentials=_descriptors(keys),
            user_verification=UserVerificationRequirement.DISCOURAGED,
        )
        return _as_json(options)

    def verify_registration(self, registration: Registration, challenge: bytes) -> NewSecurityKey:
        """The key that was registered for this challenge. Raises InvalidCredential."""
        response = registration.response
        try:
            made = webauthn.verify_registration_response(
                credential=_credential(registration.id, msgspec.to_builtins(response)),
                expected_challenge=challenge,
                expected_rp_id=self._id,
                expected_origin=self._origins,
            )
        except (WebAuthnException, ValueError) as error:
            raise InvalidCredential(str(error)) from error
        return NewSecurityKey(
            credential_id=bytes_to_base64url(made.credential_id),
            public_key=bytes_to_base64url(made.credential_public_key),
            sign_count=made.sign_count,
            transports=tuple(name for name in dict.fromkeys(response.transports) if name in _TRANSPORTS),
        )

    def verify_assertion(self, assertion: Assertion, key: SecurityKey, challenge: bytes) -> int:
        """The sign count of what the key has signed for this challenge; the caller compares it. Raises
        InvalidCredential.
        """
        try:
            verified = webauthn.verify_authentication_response(
                credential=_credential(assertion.id, msgspec.to_builtins(assertion.response)),
                expected_challenge=challenge,
                expected_rp_id=self._id,
                expected_origin=self._origins,
                credential_public_key=base64url_to_bytes(key.public_key),
                credential_current_sign_count=0,
            )
        except (WebAuthnException, ValueError) as error:
            raise InvalidCredential(str(error)) from error
        return verified.new_sign_count


def new_challenge() -> bytes:
    return secrets.token_bytes(_CHALLENGE_BYTES)


def host_of(origin: str) -> str:
    return urlsplit(origin).hostname or ""


def check_origins(origins: Sequence[str]) -> None:
    """Whether pages of these origins can use the same keys. Raises ValueError.

    Browsers use keys on https alone, but for localhost, and never for an IP address. All origins need the host of the
    first one, or one below it: a key is bound to that host (the RP ID).
    """
    for origin in origins:
        parts = urlsplit(origin)
        host = parts.hostname or ""
        if f"{parts.scheme}://{parts.netloc}" != origin or not host or "@" in parts.netloc or origin != origin.lower():
            raise ValueError(f"{origin!r} is no origin: https://HOST[:PORT] in small letters, without a path")
        is_local = host == "localhost" or host.endswith(".localhost")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
            raise ValueError(f"{origin!r} is no secure context: browsers use security keys on https alone")
        if ":" in host or host.replace(".", "").isdigit():
            raise ValueError(f"{origin!r} has no name: browsers use no security keys on an IP address")
        first = host_of(origins[0])
        if host != first and not host.endswith(f".{first}"):
            raise ValueError(
                f"{origin!r} is not at {first} nor below it, so keys of the first origin do not work there"
            )


def _credential(credential_id: str, response: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": credential_id, "rawId": credential_id, "type": "public-key", "response": response}


def _descriptors(keys: Iterable[SecurityKey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(key.credential_id), transports=[_TRANSPORTS[name] for name in key.transports] or None
        )
        for key in keys
    ]


def _as_json(options: Any) -> Options:
    made: Options = json.loads(webauthn.options_to_json(options))
    return made
