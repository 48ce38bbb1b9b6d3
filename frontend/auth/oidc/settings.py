"""The settings of single sign-on, and of the address at which browsers reach this server."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from frontend.auth.oidc.claims import ClaimMapping, GroupMap, parse_map, parse_role_map
from frontend.auth.oidc.provider import ProviderConfig
from frontend.auth.proxies import is_loopback

_GOOGLE = "https://accounts.google.com"
_NEED_ISSUER = (
    "oidc_client_id",
    "oidc_client_secret",
    "oidc_roles_claim",
    "oidc_role_map",
    "oidc_class_map",
    "oidc_required_claims",
    "oidc_create_users",
)


class OidcSettings(BaseSettings):
    """Part of `Settings`."""

    public_url: Annotated[str, Field(examples=["https://phone.example.com"])] = ""
    oidc_issuer: Annotated[str, Field(examples=["https://login.example.com/realms/office"])] = ""
    oidc_client_id: Annotated[str, Field(max_length=255, examples=["ari-bridge"])] = ""
    oidc_client_secret: Annotated[str, Field(repr=False, examples=["the secret that the provider shows"])] = ""
    oidc_provider_name: Annotated[str, Field(max_length=40, examples=["Example Ltd"])] = ""
    oidc_scopes: Annotated[str, Field(pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$", examples=["openid profile email"])] = (
        "openid profile email"
    )
    oidc_name_claim: Annotated[str, Field(min_length=1, max_length=200, examples=["preferred_username"])] = (
        "preferred_username"
    )
    oidc_roles_claim: Annotated[str, Field(max_length=200, examples=["groups"])] = ""
    oidc_role_map: Annotated[GroupMap, NoDecode, Field(examples=["phone-users=user; phone-leads=supervisor"])] = ()
    oidc_class_map: Annotated[GroupMap, NoDecode, Field(examples=["sales=international; *=national"])] = ()
    oidc_required_claims: Annotated[GroupMap, NoDecode, Field(examples=["hd=example.com"])] = ()
    oidc_create_users: Annotated[bool, Field(examples=["false"])] = False

    @field_validator("oidc_role_map", mode="before")
    @classmethod
    def _roles_of_groups(cls, value: Any) -> Any:
        return parse_role_map(value) if isinstance(value, str) else value

    @field_validator("oidc_class_map", "oidc_required_claims", mode="before")
    @classmethod
    def _map(cls, value: Any) -> Any:
        return parse_map(value) if isinstance(value, str) else value

    @field_validator("oidc_scopes")
    @classmethod
    def _with_openid(cls, value: str) -> str:
        if "openid" not in value.split(" "):
            raise ValueError("the scope openid is missing: without it there is no ID token")
        return value

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
            raise ValueError("it is not a URL like https://login.example.com/path")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("http is for loopback addresses only: use https")
        if parts.query or parts.fragment or any(one in value for one in "?# \\"):
            raise ValueError("it has no query, fragment, space or backslash")
        return value

    @model_validator(mode="after")
    def _single_sign_on(self) -> "OidcSettings":
        if not self.oidc_issuer:
            for name in _NEED_ISSUER:
                if getattr(self, name):
                    raise ValueError(f"OIDC_ISSUER: {name.upper()} needs it. It is the address of the provider.")
            return self
        if not self.oidc_client_id:
            raise ValueError("OIDC_CLIENT_ID: OIDC_ISSUER needs it. The provider shows it where this client is listed.")
        if self.oidc_roles_claim and not self.oidc_role_map:
            raise ValueError("OIDC_ROLE_MAP: OIDC_ROLES_CLAIM needs it, as no group would give a role otherwise.")
        if self.oidc_role_map and not self.oidc_roles_claim:
            raise ValueError("OIDC_ROLES_CLAIM: OIDC_ROLE_MAP needs the name of the claim that contains the groups.")
        if self.oidc_create_users and self.oidc_issuer == _GOOGLE and not self.oidc_required_claims:
            raise ValueError(
                "OIDC_REQUIRED_CLAIMS: with OIDC_CREATE_USERS everybody who has a Google account would become a user. "
                "Set it to hd=YOUR-DOMAIN."
            )
        return self

    def provider_config(self) -> ProviderConfig | None:
        """None without single sign-on."""
        if not self.oidc_issuer:
            return None
        return ProviderConfig(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret,
            scopes=self.oidc_scopes,
        )

    def sign_on_name(self) -> str:
        """What pages call the provider; "" without one."""
        return self.oidc_provider_name or urlsplit(self.oidc_issuer).hostname or ""

    def claim_mapping(self) -> ClaimMapping:
        return ClaimMapping(
            name=self.oidc_name_claim,
            roles=self.oidc_roles_claim,
            role_map=self.oidc_role_map,
            class_map=self.oidc_class_map,
            required=self.oidc_required_claims,
            create=self.oidc_create_users,
        )
