"""All settings, read from the environment. An invalid one prevents the start; the error names it and shows an example.

`env.example` documents the same names; a test compares the two.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from ari_bridge.accounts.user import ROLES
from ari_bridge.dial_permissions import COUNTRIES, NumberPlan, check_minutes
from ari_bridge.media.candidate_filter import PassedOn
from ari_bridge.media.codec_policy import CodecMode
from ari_bridge.media.node_address import NodeAddress, parse_nodes
from ari_bridge.number_routing import InvalidRule, Routes
from ari_bridge.recordings.location import Bucket, parse_location
from ari_bridge.usage import Calendar
from frontend.auth.oidc.settings import OidcSettings
from frontend.auth.proxies import Network, is_loopback, parse_proxies
from frontend.auth.token_lifetimes import TokenLifetimes
from frontend.secret_files import SecretFiles, UnreadableSecret
from frontend.sip_edge_settings import SipEdgeSettings
from frontend.webrtc.ice_servers import is_turn, parse_servers

NAME = r"[A-Za-z0-9_.-]{1,64}"
MIN_TURN_SECRET_LENGTH = 32
_EMBEDDING_ORIGIN = re.compile(r"https?://[A-Za-z0-9.*-]+(:[0-9]{1,5})?")
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class InvalidSettings(Exception):
    """Some settings are invalid; the text has the name, the reason and an example for each."""


class Settings(OidcSettings, SipEdgeSettings):
    """Names and defaults are those of the environment, in lower case."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    ari_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+/\S*ari/?$", examples=["http://127.0.0.1:8088/ari"])] = (
        "http://127.0.0.1:8088/ari"
    )
    ari_user: Annotated[str, Field(min_length=1, examples=["ari-bridge"])] = "ari-bridge"
    ari_password: Annotated[str, Field(min_length=1, repr=False, examples=["the password of that user in ari.conf"])]
    ari_app: Annotated[str, Field(pattern=rf"^{NAME}$", examples=["ari-bridge"])] = "ari-bridge"
    ari_timeout: Annotated[Seconds, Field(examples=["4"])] = 4.0
    rtpengine_ng: Annotated[tuple[NodeAddress, ...], NoDecode, Field(examples=["192.0.2.5:2223,192.0.2.6:2223*2"])] = (
        NodeAddress("127.0.0.1", 2223),
    )
    rtpengine_timeout: Annotated[Seconds, Field(examples=["3"])] = 3.0
    ice_servers: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            examples=["stun:turn.example.com:3478,turn:turn.example.com:3478,turns:turn.example.com:5349?transport=tcp"]
        ),
    ] = ()
    ice_candidates: Annotated[PassedOn, Field(examples=["public"])] = PassedOn.AUTO
    turn_secret: Annotated[str, Field(repr=False, examples=["the static-auth-secret in turnserver.conf"])] = ""
    turn_lifetime: Annotated[int, Field(ge=60, le=604800, examples=["86400"])] = 86400
    codecs: Annotated[CodecMode, Field(examples=["auto"])] = CodecMode.OPUS
    opus_fec: Annotated[bool, Field(examples=["true"])] = True
    opus_dtx: Annotated[bool, Field(examples=["false"])] = False
    transcoding_limit: Annotated[int, Field(ge=0, le=100000, examples=["40"])] = 40
    target_sip_server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]-]*$", examples=["sip.example.com:5060"])] = ""
    target_sip_endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]*$", examples=["trunk"])] = ""
    dial_context: Annotated[str, Field(pattern=rf"^{NAME}$", examples=["from-browser"])] = "from-browser"
    dial_routes: Annotated[
        str, Field(examples=["7xxx=PJSIP/{target}@trunk; 00*=PJSIP/{target}@carrier; 100=PJSIP/reception"])
    ] = ""
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$", examples=["DE"])] = ""
    outside_line_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$", examples=["0"])] = ""
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$", examples=["0"])] = ""
    international_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,6}$", examples=["00"])] = ""
    dial_permissions_file: Annotated[Path | None, Field(examples=["dial-permissions.toml"])] = None
    http_host: Annotated[str, Field(examples=["127.0.0.1"])] = "127.0.0.1"
    http_port: Annotated[Port, Field(examples=["3000"])] = 3000
    ws_port: Annotated[Port, Field(examples=["8080"])] = 8080
    max_connections: Annotated[int, Field(ge=64, le=1000000, examples=["8192"])] = 8192
    max_connections_per_address: Annotated[int, Field(ge=8, examples=["256"])] = 256
    max_connections_per_user: Annotated[int, Field(ge=4, examples=["64"])] = 64
    max_requests_per_second: Annotated[float, Field(gt=0, le=100000, examples=["20"])] = 20.0
    enable_ip_whitelisting: Annotated[bool, Field(examples=["true"])] = False
    ip_whitelist: Annotated[tuple[Network, ...], NoDecode, Field(examples=["192.0.2.0/24,2001:db8::/32"])] = ()
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, Field(examples=["192.0.2.7,10.0.0.0/8"])] = ()
    cors_origin: Annotated[
        tuple[str, ...], NoDecode, Field(examples=["https://phone.example.com,https://crm.example.com"])
    ] = ()
    enable_authentication: Annotated[bool, Field(examples=["true"])] = True
    users_file: Annotated[Path, Field(examples=["users"])] = Path("users")
    accounts_database_url: Annotated[str, Field(repr=False, examples=["postgresql://USER:PASSWORD@HOST/DATABASE"])] = ""
    min_password_length: Annotated[int, Field(ge=8, le=128, examples=["12"])] = 12
    require_second_factor: Annotated[tuple[str, ...], NoDecode, Field(examples=["admin,operator"])] = ()
    webauthn_origins: Annotated[tuple[str, ...], NoDecode, Field(examples=["https://phone.example.com"])] = ()
    token_secret_file: Annotated[Path, Field(examples=["token-secret"])] = Path("token-secret")
    token_lifetime: Annotated[int, Field(ge=5, le=604800, examples=["900"])] = 900
    refresh_token_lifetime: Annotated[int, Field(ge=60, le=2592000, examples=["604800"])] = 604800
    refresh_token_idle_lifetime: Annotated[int, Field(ge=60, le=2592000, examples=["86400"])] = 86400
    enable_https: Annotated[bool | None, Field(examples=["true"])] = None
    enable_wss: Annotated[bool | None, Field(examples=["true"])] = None
    tls_cert: Annotated[
        Path | None, Field(validation_alias=AliasChoices("tls_cert", "ssl_cert_path"), examples=["cert.pem"])
    ] = None
    tls_key: Annotated[
        Path | None, Field(validation_alias=AliasChoices("tls_key", "ssl_key_path"), examples=["key.pem"])
    ] = None
    tls_ca: Annotated[
        Path | None, Field(validation_alias=AliasChoices("tls_ca", "ssl_ca_path"), examples=["intermediates.pem"])
    ] = None
    embed_origins: Annotated[tuple[str, ...], NoDecode, Field(examples=["https://crm.example.com"])] = ()
    metrics_token: Annotated[
        str, Field(pattern=r"^([\x21-\x7e]{32,})?$", repr=False, examples=["the output of openssl rand -hex 32"])
    ] = ""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(examples=["info"])] = "info"
    log_format: Annotated[Literal["console", "json"], Field(examples=["console"])] = "console"
    ring_timeout: Annotated[Seconds, Field(examples=["45"])] = 45.0
    setup_timeout: Annotated[Seconds, Field(examples=["10"])] = 10.0
    state_dir: Annotated[Path, Field(examples=["state"])] = Path("state")
    call_store_days: Annotated[float, Field(gt=0, le=36500, examples=["30"])] = 30.0
    event_log_days: Annotated[float, Field(gt=0, le=36500, examples=["7"])] = 7.0
    event_log_rows: Annotated[int, Field(ge=1000, le=100_000_000, examples=["1000000"])] = 1_000_000
    event_log_ari_rows: Annotated[int, Field(ge=1000, le=100_000_000, examples=["100000"])] = 100_000
    enable_cdr_logging: Annotated[bool, Field(examples=["true"])] = True
    cdr_database_url: Annotated[str, Field(repr=False, examples=["postgresql://USER:PASSWORD@HOST/DATABASE"])] = ""
    audit_database_url: Annotated[str, Field(repr=False, examples=["postgresql://USER:PASSWORD@HOST/DATABASE"])] = ""
    audit_days: Annotated[float, Field(gt=0, le=36500, examples=["730"])] = 730.0
    cdr_days: Annotated[float, Field(gt=0, le=36500, examples=["365"])] = 365.0
    enable_call_recording: Annotated[bool, Field(examples=["false"])] = False
    recording_announcement: Annotated[
        str, Field(pattern=r"^(sound:[A-Za-z0-9_./-]{1,200})?$", examples=["sound:beep"])
    ] = ""
    recording_store: Annotated[str, Field(examples=["s3://BUCKET/recordings"])] = ""
    recording_s3_endpoint: Annotated[
        str, Field(pattern=r"^(https?://[^/\s]+/?)?$", examples=["https://s3.example.com"])
    ] = ""
    recording_s3_region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", examples=["us-east-1"])] = "us-east-1"
    aws_access_key_id: Annotated[
        str, Field(repr=False, examples=["the id of a key that may read, write, list and delete there"])
    ] = ""
    aws_secret_access_key: Annotated[str, Field(repr=False, examples=["its secret"])] = ""
    recording_days: Annotated[float, Field(gt=0, le=36500, examples=["90"])] = 90.0
    disconnect_grace: Annotated[float, Field(ge=0, le=3600, examples=["30"])] = 30.0
    pbx_grace: Annotated[float, Field(ge=0, le=60, examples=["2"])] = 2.0
    pbx_check_interval: Annotated[float, Field(ge=1, le=3600, examples=["60"])] = 60.0
    drain_seconds: Annotated[float, Field(ge=0, le=600, examples=["3"])] = 3.0
    max_calls: Annotated[int, Field(ge=1, examples=["1000"])] = 1000
    max_calls_per_user: Annotated[int, Field(ge=1, examples=["4"])] = 4
    max_legs: Annotated[int, Field(ge=1, examples=["1000"])] = 1000
    max_legs_per_tenant: Annotated[int, Field(ge=1, examples=["1000"])] = 1000
    max_legs_per_user: Annotated[int, Field(ge=1, examples=["12"])] = 12
    max_legs_per_minute: Annotated[int, Field(ge=1, examples=["60"])] = 60
    max_legs_per_day: Annotated[int, Field(ge=1, examples=["1000"])] = 1000
    max_forwards_per_user: Annotated[int, Field(ge=0, examples=["2"])] = 2
    max_minutes_per_day: Annotated[
        tuple[tuple[str, float], ...], NoDecode, Field(examples=["international=240,premium=30,satellite=0"])
    ] = (("international", 240), ("premium", 30), ("satellite", 30), ("high_risk", 60), ("unassigned", 30))
    alarm_new_destinations: Annotated[int, Field(ge=0, examples=["10"])] = 10
    alarm_hours: Annotated[
        str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$", examples=["22:00-06:00"])
    ] = ""
    alarm_night_legs: Annotated[int, Field(ge=1, examples=["5"])] = 5
    time_zone: Annotated[str, Field(examples=["Europe/Vienna"])] = "UTC"
    max_call_seconds: Annotated[float, Field(gt=0, le=604800, examples=["14400"])] = 14400.0
    max_left_call_seconds: Annotated[float, Field(gt=0, le=604800, examples=["3600"])] = 3600.0
    allow_outside_to_outside: Annotated[bool, Field(examples=["false"])] = False
    phone_book: Annotated[tuple[tuple[str, str], ...], NoDecode, Field(examples=["600=Echo,601=Milliwatt tone"])] = ()
    preflight_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{0,64}$", examples=["600"])] = ""
    voicemail_mailbox: Annotated[
        str, Field(pattern=r"^([A-Za-z0-9_.-]*\{user\}@[A-Za-z0-9_.-]{1,64})?$", examples=["{user}@default"])
    ] = ""
    voicemail_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{0,64}$", examples=["*97"])] = ""
    people_endpoints: Annotated[tuple[str, ...], NoDecode, Field(examples=["2*,3*"])] = ()
    plugins: Annotated[tuple[str, ...], NoDecode, Field(examples=["missed_calls"])] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, SecretFiles(settings_cls, dotenv_settings), env_settings, dotenv_settings

    @field_validator("rtpengine_ng", mode="before")
    @classmethod
    def _nodes(cls, value: Any) -> Any:
        return parse_nodes(value) if isinstance(value, str) else value

    @field_validator("ice_servers", mode="before")
    @classmethod
    def _servers(cls, value: Any) -> Any:
        return parse_servers(value) if isinstance(value, str) else value

    @field_validator("trusted_proxies", "ip_whitelist", mode="before")
    @classmethod
    def _proxies(cls, value: Any) -> Any:
        return parse_proxies(value) if isinstance(value, str) else value

    @field_validator(
        "cors_origin",
        "embed_origins",
        "people_endpoints",
        "plugins",
        "require_second_factor",
        "webauthn_origins",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("require_second_factor")
    @classmethod
    def _roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for role in value:
            if role not in ROLES:
                raise ValueError(f"{role!r} is no role, but {', '.join(ROLES)} are")
        return value

    @field_validator("webauthn_origins")
    @classmethod
    def _secure_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            # Imported here: it is slow to import, and needed by few commands.
            from frontend.auth.relying_party import check_origins

            check_origins(value)
        return value

    @field_validator("cors_origin")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "loopback" and (not origin.startswith(("http://", "https://")) or origin.count("/") != 2):
                raise ValueError(f"{origin!r} is no origin: SCHEME://HOST[:PORT] without a path, or loopback")
        return value

    @field_validator("embed_origins")
    @classmethod
    def _embedding(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _EMBEDDING_ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin: SCHEME://HOST[:PORT] without a path")
        return value

    @field_validator("phone_book", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        entries = [entry.partition("=") for entry in filter(str.strip, value.split(","))]
        if any(not found for _, found, _ in entries):
            raise ValueError("entries are NUMBER=NAME, separated by commas")
        return tuple((number.strip(), name.strip()) for number, _, name in entries)

    @field_validator("max_minutes_per_day", mode="before")
    @classmethod
    def _minutes(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        entries = [entry.partition("=") for entry in filter(str.strip, value.split(","))]
        try:
            return tuple((name.strip(), float(minutes)) for name, _, minutes in entries)
        except ValueError:
            raise ValueError("entries are CLASS=MINUTES, separated by commas") from None

    @field_validator("max_minutes_per_day")
    @classmethod
    def _known_classes(cls, value: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
        check_minutes("minutes of a day", dict(value))
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        Calendar(value)
        return value

    @field_validator(
        "enable_https", "enable_wss", "tls_cert", "tls_key", "tls_ca", "dial_permissions_file", mode="before"
    )
    @classmethod
    def _no_file(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        if value and value not in COUNTRIES:
            raise ValueError(f"{value!r} is no ISO 3166 code of a country with a numbering plan")
        return value

    @field_validator("dial_routes")
    @classmethod
    def _routes(cls, value: str) -> str:
        try:
            Routes.parse_rules(value)
        except InvalidRule as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("cdr_database_url", "accounts_database_url", "audit_database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value:
            # Imported here: it is slow to import, and most installations have no PostgreSQL.
            from ari_bridge.sql.engine import postgresql_url

            postgresql_url(value)
        return value

    @field_validator("recording_store")
    @classmethod
    def _place(cls, value: str) -> str:
        parse_location(value)  # raises a ValueError that says what is wrong
        return value

    def changed(self) -> list[str]:
        """The names, as in the environment, of those that have another value than the default."""
        fields = Settings.model_fields.items()
        return sorted(name.upper() for name, field in fields if getattr(self, name) != field.default)

    def number_plan(self) -> NumberPlan:
        """How the PBX reads numbers."""
        return NumberPlan(
            country=self.country,
            outside_prefix=self.outside_line_prefix,
            national_prefix=self.national_prefix,
            international_prefix=self.international_prefix,
        )

    def token_lifetimes(self) -> TokenLifetimes:
        return TokenLifetimes(
            access=self.token_lifetime,
            refresh=self.refresh_token_lifetime,
            refresh_idle=self.refresh_token_idle_lifetime,
        )

    @model_validator(mode="after")
    def _together(self) -> "Settings":
        if not self.enable_authentication and not is_loopback(self.http_host):
            raise ValueError(
                f"ENABLE_AUTHENTICATION: false is allowed on a loopback address only, not with "
                f"HTTP_HOST={self.http_host}. Set it to true, or HTTP_HOST to 127.0.0.1."
            )
        if self.oidc_issuer and not self.enable_authentication:
            raise ValueError("ENABLE_AUTHENTICATION: OIDC_ISSUER needs sign-in. Set it to true.")
        self._check_transport()
        if self.dial_permissions_file and (trouble := _trouble_with(self.dial_permissions_file)):
            raise ValueError(f"DIAL_PERMISSIONS_FILE: {trouble}")
        if not self.turn_secret and any(map(is_turn, self.ice_servers)):
            raise ValueError("TURN_SECRET: the TURN servers of ICE_SERVERS need it. It is their static-auth-secret.")
        if self.turn_secret and len(self.turn_secret) < MIN_TURN_SECRET_LENGTH:
            raise ValueError(
                f"TURN_SECRET: it has {len(self.turn_secret)} characters, and needs {MIN_TURN_SECRET_LENGTH}: every "
                "user is given what a shorter one can be guessed from. `openssl rand -hex 32` makes one; it is also "
                "the static-auth-secret of the TURN servers."
            )
        if self.sip_edge_rpc_url and not self.sip_edge_token:
            raise ValueError("SIP_EDGE_TOKEN: SIP_EDGE_RPC_URL needs it: the edge answers nobody else.")
        if self.target_sip_server and not self.target_sip_endpoint:
            raise ValueError("TARGET_SIP_ENDPOINT: TARGET_SIP_SERVER needs the name of a PJSIP endpoint beside it.")
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key):
            raise ValueError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both or neither.")
        if self.recording_s3_endpoint and not isinstance(parse_location(self.recording_store), Bucket):
            raise ValueError("RECORDING_S3_ENDPOINT: it needs RECORDING_STORE=s3://BUCKET/PREFIX beside it.")
        if self.http_port and self.http_port == self.ws_port:
            raise ValueError(f"WS_PORT: {self.ws_port} is HTTP_PORT already. Choose another, or 0 for none.")
        return self

    def _check_transport(self) -> None:
        """Raises ValueError for TLS that is incomplete, and for passwords that would cross a network in clear."""
        if self.enable_ip_whitelisting and not self.ip_whitelist:
            raise ValueError("IP_WHITELIST: ENABLE_IP_WHITELISTING needs the addresses that may use the server.")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("TLS_CERT and TLS_KEY: set both or neither.")
        if self.tls_ca and not self.tls_cert:
            raise ValueError("TLS_CA: it needs TLS_CERT and TLS_KEY beside it.")
        for name, path in (("TLS_CERT", self.tls_cert), ("TLS_KEY", self.tls_key), ("TLS_CA", self.tls_ca)):
            if path and (trouble := _trouble_with(path)):
                raise ValueError(f"{name}: {trouble}")
        for name, wanted in (("ENABLE_HTTPS", self.enable_https), ("ENABLE_WSS", self.enable_wss)):
            if wanted and not self.tls_cert:
                raise ValueError(f"{name}: true needs TLS_CERT and TLS_KEY (or SSL_CERT_PATH and SSL_KEY_PATH).")
        if is_loopback(self.http_host) or self.trusted_proxies:
            return
        ports = [("HTTP_PORT", self.https, True), ("WS_PORT", self.wss, self.ws_port > 0)]
        if clear := [name for name, secure, used in ports if used and not secure]:
            raise ValueError(
                f"HTTP_HOST: at {self.http_host}, {' and '.join(clear)} would carry passwords and calls without TLS. "
                "Set TLS_CERT and TLS_KEY; or, behind a proxy that has the certificate, TRUSTED_PROXIES to its "
                "address; or HTTP_HOST to 127.0.0.1."
            )

    @property
    def https(self) -> bool:
        """Whether HTTP_PORT serves TLS."""
        return self.tls_cert is not None if self.enable_https is None else self.enable_https

    @property
    def wss(self) -> bool:
        """Whether WS_PORT serves TLS."""
        return self.tls_cert is not None if self.enable_wss is None else self.enable_wss


def _trouble_with(path: Path) -> str:
    """Why the file cannot be read; "" if it can."""
    try:
        with path.open("rb"):
            return ""
    except FileNotFoundError:
        return f"there is no file {path}."
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}."


def load(**values: Any) -> Settings:
    """The settings; `values` (by lower-case name) override the environment. Raises InvalidSettings."""
    try:
        return Settings(**values)
    except UnreadableSecret as error:
        raise InvalidSettings(str(error)) from None
    except ValidationError as error:
        raise InvalidSettings("\n".join(map(_explain, error.errors()))) from None


def _explain(fault: Any) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return str(message)
    name = str(fault["loc"][0]).upper()
    if fault["type"] == "missing":
        return f"{name} is not set. Example: {name}={_example(name)}"
    secret = name.endswith(("PASSWORD", "DATABASE_URL", "SECRET", "_TOKEN", "SECRET_ACCESS_KEY"))
    shown = "(hidden)" if secret else repr(fault["input"])
    return f"{name}={shown}: {message[0].lower()}{message[1:]}. Example: {name}={_example(name)}"


def _example(name: str) -> str:
    return str((Settings.model_fields[name.lower()].examples or [""])[0])
