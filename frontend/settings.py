"""Every setting, from the environment. A wrong one stops the start, with what is wrong and an example.

`env.example` documents the same names; a test compares the two.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ari_bridge.media.candidate_filter import PassedOn
from ari_bridge.media.codec_policy import CodecMode
from ari_bridge.media.node_address import NodeAddress, parse_nodes
from ari_bridge.number_routing import InvalidRule, Routes
from ari_bridge.recordings.location import Bucket, parse_location
from frontend.auth.proxies import Network, parse_proxies
from frontend.webrtc.ice_servers import is_turn, parse_servers

EXAMPLES = {
    "ARI_URL": "http://127.0.0.1:8088/ari",
    "ARI_USER": "ari-bridge",
    "ARI_PASSWORD": "the password of that user in ari.conf",
    "ARI_APP": "ari-bridge",
    "ARI_TIMEOUT": "4",
    "RTPENGINE_NG": "192.0.2.5:2223,192.0.2.6:2223*2",
    "RTPENGINE_TIMEOUT": "3",
    "ICE_SERVERS": "stun:turn.example.com:3478,turn:turn.example.com:3478,turns:turn.example.com:5349?transport=tcp",
    "ICE_CANDIDATES": "public",
    "TURN_SECRET": "the static-auth-secret in turnserver.conf",
    "TURN_LIFETIME": "86400",
    "CODECS": "auto",
    "OPUS_FEC": "true",
    "OPUS_DTX": "false",
    "TRANSCODING_LIMIT": "40",
    "TARGET_SIP_SERVER": "sip.example.com:5060",
    "TARGET_SIP_ENDPOINT": "trunk",
    "DIAL_CONTEXT": "from-internal",
    "DIAL_ROUTES": "7xxx=PJSIP/{target}@trunk; 00*=PJSIP/{target}@carrier; 100=PJSIP/reception",
    "HTTP_HOST": "127.0.0.1",
    "HTTP_PORT": "3000",
    "WS_PORT": "8080",
    "TRUSTED_PROXIES": "192.0.2.7,10.0.0.0/8",
    "CORS_ORIGIN": "https://phone.example.com,https://crm.example.com",
    "ENABLE_AUTHENTICATION": "true",
    "USERS_FILE": "users",
    "TOKEN_SECRET_FILE": "token-secret",
    "TOKEN_LIFETIME": "43200",
    "TLS_CERT": "cert.pem",
    "TLS_KEY": "key.pem",
    "LOG_LEVEL": "info",
    "LOG_FORMAT": "console",
    "RING_TIMEOUT": "45",
    "SETUP_TIMEOUT": "10",
    "STATE_DIR": "state",
    "CALL_STORE_DAYS": "30",
    "ENABLE_CDR_LOGGING": "true",
    "CDR_DATABASE_URL": "postgresql://USER:PASSWORD@HOST/DATABASE",
    "CDR_DAYS": "365",
    "ENABLE_CALL_RECORDING": "false",
    "RECORDING_ANNOUNCEMENT": "sound:beep",
    "RECORDING_STORE": "s3://BUCKET/recordings",
    "RECORDING_S3_ENDPOINT": "https://s3.example.com",
    "RECORDING_S3_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "the id of a key that may read, write, list and delete there",
    "AWS_SECRET_ACCESS_KEY": "its secret",
    "RECORDING_DAYS": "90",
    "DISCONNECT_GRACE": "30",
    "PBX_GRACE": "2",
    "PBX_CHECK_INTERVAL": "60",
    "DRAIN_SECONDS": "3",
    "MAX_CALLS": "1000",
    "MAX_CALLS_PER_USER": "4",
    "PREFLIGHT_NUMBER": "600",
    "PHONE_BOOK": "600=Echo,601=Milliwatt tone",
    "VOICEMAIL_MAILBOX": "{user}@default",
    "VOICEMAIL_NUMBER": "*97",
    "PEOPLE_ENDPOINTS": "2*,3*",
    "PLUGINS": "missed_calls",
}

NAME = r"[A-Za-z0-9_.-]{1,64}"
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class InvalidSettings(Exception):
    """Says for each setting that is wrong its name, what is wrong, and an example."""


class Settings(BaseSettings):
    """Names and defaults are those of the environment, in lower case."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    ari_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+/\S*ari/?$")] = "http://127.0.0.1:8088/ari"
    ari_user: Annotated[str, Field(min_length=1)] = "ari-bridge"
    ari_password: Annotated[str, Field(min_length=1, repr=False)]
    ari_app: Annotated[str, Field(pattern=rf"^{NAME}$")] = "ari-bridge"
    ari_timeout: Seconds = 4.0
    rtpengine_ng: Annotated[tuple[NodeAddress, ...], NoDecode] = (NodeAddress("127.0.0.1", 2223),)
    rtpengine_timeout: Seconds = 3.0
    ice_servers: Annotated[tuple[str, ...], NoDecode] = ()
    ice_candidates: PassedOn = PassedOn.AUTO
    turn_secret: Annotated[str, Field(repr=False)] = ""
    turn_lifetime: Annotated[int, Field(ge=60, le=604800)] = 86400
    codecs: CodecMode = CodecMode.OPUS
    opus_fec: bool = True
    opus_dtx: bool = False
    transcoding_limit: Annotated[int, Field(ge=0, le=100000)] = 40
    target_sip_server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]-]*$")] = ""
    target_sip_endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]*$")] = ""
    dial_context: Annotated[str, Field(pattern=rf"^{NAME}$")] = "from-browser"
    dial_routes: str = ""
    http_host: str = "127.0.0.1"
    http_port: Port = 3000
    ws_port: Port = 8080
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    cors_origin: Annotated[tuple[str, ...], NoDecode] = ()
    enable_authentication: bool = True
    users_file: Path = Path("users")
    token_secret_file: Path = Path("token-secret")
    token_lifetime: Annotated[int, Field(ge=60)] = 43200
    tls_cert: Path | None = None
    tls_key: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    ring_timeout: Seconds = 45.0
    setup_timeout: Seconds = 10.0
    state_dir: Path = Path("state")
    call_store_days: Annotated[float, Field(gt=0, le=36500)] = 30.0
    enable_cdr_logging: bool = True
    cdr_database_url: Annotated[str, Field(repr=False)] = ""
    cdr_days: Annotated[float, Field(gt=0, le=36500)] = 365.0
    enable_call_recording: bool = False
    recording_announcement: Annotated[str, Field(pattern=r"^(sound:[A-Za-z0-9_./-]{1,200})?$")] = ""
    recording_store: str = ""
    recording_s3_endpoint: Annotated[str, Field(pattern=r"^(https?://[^/\s]+/?)?$")] = ""
    recording_s3_region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "us-east-1"
    aws_access_key_id: Annotated[str, Field(repr=False)] = ""
    aws_secret_access_key: Annotated[str, Field(repr=False)] = ""
    recording_days: Annotated[float, Field(gt=0, le=36500)] = 90.0
    disconnect_grace: Annotated[float, Field(ge=0, le=3600)] = 30.0
    pbx_grace: Annotated[float, Field(ge=0, le=60)] = 2.0
    pbx_check_interval: Annotated[float, Field(ge=1, le=3600)] = 60.0
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 3.0
    max_calls: Annotated[int, Field(ge=1)] = 1000
    max_calls_per_user: Annotated[int, Field(ge=1)] = 4
    phone_book: Annotated[tuple[tuple[str, str], ...], NoDecode] = ()
    preflight_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{0,64}$")] = ""
    voicemail_mailbox: Annotated[str, Field(pattern=r"^([A-Za-z0-9_.-]*\{user\}@[A-Za-z0-9_.-]{1,64})?$")] = ""
    voicemail_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{0,64}$")] = ""
    people_endpoints: Annotated[tuple[str, ...], NoDecode] = ()
    plugins: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("rtpengine_ng", mode="before")
    @classmethod
    def _nodes(cls, value: Any) -> Any:
        return parse_nodes(value) if isinstance(value, str) else value

    @field_validator("ice_servers", mode="before")
    @classmethod
    def _servers(cls, value: Any) -> Any:
        return parse_servers(value) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _proxies(cls, value: Any) -> Any:
        return parse_proxies(value) if isinstance(value, str) else value

    @field_validator("cors_origin", "people_endpoints", "plugins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("cors_origin")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "loopback" and (not origin.startswith(("http://", "https://")) or origin.count("/") != 2):
                raise ValueError(f"{origin!r} is no origin: SCHEME://HOST[:PORT] without a path, or loopback")
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

    @field_validator("tls_cert", "tls_key", mode="before")
    @classmethod
    def _no_file(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("dial_routes")
    @classmethod
    def _routes(cls, value: str) -> str:
        try:
            Routes.parse_rules(value)
        except InvalidRule as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("cdr_database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value:
            # Here, as most have none: what it imports takes a while.
            from ari_bridge.cdr.database import postgresql_url

            postgresql_url(value)
        return value

    @field_validator("recording_store")
    @classmethod
    def _place(cls, value: str) -> str:
        parse_location(value)  # raises a ValueError that says what is wrong
        return value

    @model_validator(mode="after")
    def _together(self) -> "Settings":
        if not self.enable_authentication and not is_loopback(self.http_host):
            raise ValueError(
                f"ENABLE_AUTHENTICATION: false is allowed on a loopback address only, not with "
                f"HTTP_HOST={self.http_host}. Set it to true, or HTTP_HOST to 127.0.0.1."
            )
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("TLS_CERT and TLS_KEY: set both or neither.")
        for name, path in (("TLS_CERT", self.tls_cert), ("TLS_KEY", self.tls_key)):
            if path and (trouble := _trouble_with(path)):
                raise ValueError(f"{name}: {trouble}")
        if not self.turn_secret and any(map(is_turn, self.ice_servers)):
            raise ValueError("TURN_SECRET: the TURN servers of ICE_SERVERS need it. It is their static-auth-secret.")
        if self.target_sip_server and not self.target_sip_endpoint:
            raise ValueError("TARGET_SIP_ENDPOINT: TARGET_SIP_SERVER needs the name of a PJSIP endpoint beside it.")
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key):
            raise ValueError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both or neither.")
        if self.recording_s3_endpoint and not isinstance(parse_location(self.recording_store), Bucket):
            raise ValueError("RECORDING_S3_ENDPOINT: it needs RECORDING_STORE=s3://BUCKET/PREFIX beside it.")
        if self.http_port and self.http_port == self.ws_port:
            raise ValueError(f"WS_PORT: {self.ws_port} is HTTP_PORT already. Choose another, or 0 for none.")
        return self


def _trouble_with(path: Path) -> str:
    """Why the file cannot be read; "" where it can."""
    try:
        with path.open("rb"):
            return ""
    except FileNotFoundError:
        return f"there is no file {path}."
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}."


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(**values: Any) -> Settings:
    """The settings in force; `values` (by lower-case name) go before the environment. Raises InvalidSettings."""
    try:
        return Settings(**values)
    except ValidationError as error:
        raise InvalidSettings("\n".join(map(_explain, error.errors()))) from None


def _explain(fault: Any) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return str(message)
    name = str(fault["loc"][0]).upper()
    if fault["type"] == "missing":
        return f"{name} is not set. Example: {name}={EXAMPLES[name]}"
    shown = "(hidden)" if "PASSWORD" in name or "DATABASE_URL" in name else repr(fault["input"])
    return f"{name}={shown}: {message[0].lower()}{message[1:]}. Example: {name}={EXAMPLES[name]}"
