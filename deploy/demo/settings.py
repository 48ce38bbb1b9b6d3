"""The demo's settings: ports, addresses, passwords. What is in force stands in `.demo/env`, for the owner's eyes only.

Everything can be set in front of the command (`HTTP_PORT=3100 make demo`); passwords are made at the first start
and kept.
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.ports import Port

LOOPBACK = "127.0.0.1"
NUMBERS = {
    "600": "Echo",
    "601": "Milliwatt tone",
    "602": "Music",
    "603": "Rings for ever",
    "604": "Busy",
    "605": "Congestion",
    "606": "Asks for a number by keys",
}
USERS = [str(number) for number in range(1001, 1010)]
NG_PORTS = ("NG_PORT", "NG_PORT_2")  # two rtpengines, so that calls outlive the loss of one
ASTERISK_VERSIONS = ("16", "22")


class BadSetting(Exception):
    """A setting that makes no sense: its name, what is wrong with it, an example that works."""

    def __init__(self, name: str, fault: str, example: str) -> None:
        self.name = name
        super().__init__(f"{name}: {fault}. Example: {example}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything listens. `host` is None on loopback; else the address that serves https, with sign-in."""

    host: str | None
    asterisk: str  # major version
    http_port: int
    ws_port: int  # 0: none
    ari_port: int
    sip_port: int  # of the SIP edge
    sip_tls_port: int
    sip_edge_rpc_port: int
    pbx_sip_port: int  # of Asterisk
    trunk_port: int
    ng_ports: tuple[int, ...]  # one for each rtpengine
    asterisk_rtp: tuple[int, int]
    rtpengine_rtp: tuple[int, int]

    @property
    def public(self) -> str:
        """The address that browsers reach."""
        return self.host or LOOPBACK

    @property
    def scheme(self) -> str:
        return "https" if self.host else "http"

    @property
    def url(self) -> str:
        """What to open in a browser."""
        return f"{self.scheme}://{self.public}:{self.http_port}"

    @property
    def rtpengine_rtp_ranges(self) -> list[tuple[int, int]]:
        """What each rtpengine gets of `rtpengine_rtp`."""
        first, last = self.rtpengine_rtp
        size = (last - first + 1) // len(self.ng_ports)
        return [(first + size * number, first + size * (number + 1) - 1) for number in range(len(self.ng_ports))]

    def ports(self) -> list[Port]:
        """The ports that have to be free."""
        wanted = [
            Port(self.public, "tcp", self.http_port, "page and API, HTTP_PORT"),
            Port(LOOPBACK, "tcp", self.ari_port, "ARI, ARI_PORT"),
            Port(self.public, "udp", self.sip_port, "SIP, SIP_PORT"),
            Port(self.public, "tcp", self.sip_port, "SIP, SIP_PORT"),
            Port(LOOPBACK, "tcp", self.sip_edge_rpc_port, "SIP edge, SIP_EDGE_RPC_PORT"),
            Port(LOOPBACK, "udp", self.pbx_sip_port, "SIP of Asterisk, PBX_SIP_PORT"),
            Port(LOOPBACK, "tcp", self.pbx_sip_port, "SIP of Asterisk, PBX_SIP_PORT"),
        ]
        for port, name in zip(self.ng_ports, NG_PORTS, strict=True):
            wanted.append(Port(LOOPBACK, "udp", port, f"rtpengine commands, {name}"))
        if self.host:
            wanted.append(Port(self.public, "tcp", self.sip_tls_port, "SIP over TLS, SIP_TLS_PORT"))
        if self.ws_port:
            wanted.insert(1, Port(self.public, "tcp", self.ws_port, "WebSocket, WS_PORT"))
        return wanted


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment asks for, defaults for the rest. Raises `BadSetting`."""
    version = environment.get("ASTERISK") or "16"
    if version not in ASTERISK_VERSIONS:
        raise BadSetting("ASTERISK", f"there is no version {version!r} here", "ASTERISK=22 make demo")
    host = environment.get("HOST") or None
    if host in ("0.0.0.0", "::"):
        raise BadSetting("HOST", "media needs one address that browsers can reach, not all", "HOST=ADDRESS make demo")
    ng_port = _port(environment, "NG_PORT", 2223)
    return Settings(
        host=host,
        asterisk=version,
        http_port=_port(environment, "HTTP_PORT", 3000),
        ws_port=_port(environment, "WS_PORT", 8080, lowest=0),
        ari_port=_port(environment, "ARI_PORT", 8088),
        sip_port=_port(environment, "SIP_PORT", 5060),
        sip_tls_port=_port(environment, "SIP_TLS_PORT", 5061),
        sip_edge_rpc_port=_port(environment, "SIP_EDGE_RPC_PORT", 5064),
        pbx_sip_port=_port(environment, "PBX_SIP_PORT", 5080),
        trunk_port=_port(environment, "TRUNK_PORT", 5070),
        ng_ports=(ng_port, _port(environment, "NG_PORT_2", ng_port + 10)),
        asterisk_rtp=_range(environment, "ASTERISK_RTP", (20000, 21999)),
        rtpengine_rtp=_range(environment, "RTPENGINE_RTP", (30000, 31999)),
    )


def _port(environment: Mapping[str, str], name: str, default: int, *, lowest: int = 1) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not lowest <= int(text) <= 65535:
        raise BadSetting(name, f"{text!r} is no port ({lowest} to 65535)", f"{name}={default} make demo")
    return int(text)


def _range(environment: Mapping[str, str], name: str, default: tuple[int, int]) -> tuple[int, int]:
    text = environment.get(name) or f"{default[0]}-{default[1]}"
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) < int(last) <= 65535):
        raise BadSetting(name, f"{text!r} is no range of ports", f"{name}={default[0]}-{default[1]} make demo")
    return int(first), int(last)


def front_end_environment(settings: Settings, state: Path, *, ari_password: str, sip_edge_token: str) -> dict[str, str]:
    """What the front end is told, by the names that docs/CONFIG.md explains. `state` is the demo's own folder."""
    book = {**NUMBERS, **{user: f"Browser user {user}" for user in USERS}}
    environment = {
        "ARI_URL": f"http://{LOOPBACK}:{settings.ari_port}/ari",
        "ARI_USER": "ari-bridge",
        "ARI_PASSWORD": ari_password,
        "ARI_APP": "ari-bridge",
        "RTPENGINE_NG": ",".join(f"{LOOPBACK}:{port}" for port in settings.ng_ports),
        "DIAL_CONTEXT": "from-browser",
        "DIAL_ROUTES": "7xxx=PJSIP/{target}@trunk",
        "HTTP_HOST": settings.public,
        "HTTP_PORT": str(settings.http_port),
        "WS_PORT": str(settings.ws_port),
        "CORS_ORIGIN": settings.url if settings.host else "loopback",
        "ENABLE_AUTHENTICATION": "true" if settings.host else "false",
        "VOICEMAIL_MAILBOX": "{user}@default",
        "VOICEMAIL_NUMBER": "*97",
        "PREFLIGHT_NUMBER": "600",
        "PHONE_BOOK": ",".join(f"{number}={name}" for number, name in book.items()),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL") or "info",
        "SIP_EDGE_TOKEN": sip_edge_token,
        "SIP_REALM": "ari-bridge",
        "SIP_EDGE_RPC_URL": f"http://{LOOPBACK}:{settings.sip_edge_rpc_port}/RPC",
        "STATE_DIR": str(state / "state"),
        "TOKEN_SECRET_FILE": str(state / "token-secret"),
    }
    if settings.host:
        environment |= {
            "USERS_FILE": str(state / "users"),
            "TLS_CERT": str(state / "certificate.pem"),
            "TLS_KEY": str(state / "key.pem"),
        }
    return environment


def write(path: Path, environment: Mapping[str, str], settings: Settings) -> None:
    """Writes the settings in force to `path`, readable by its owner only."""
    ports = {
        "ASTERISK": settings.asterisk,
        "SIP_PORT": str(settings.sip_port),
        "SIP_TLS_PORT": str(settings.sip_tls_port),
        "PBX_SIP_PORT": str(settings.pbx_sip_port),
        "TRUNK_PORT": str(settings.trunk_port),
        "ASTERISK_RTP": "-".join(map(str, settings.asterisk_rtp)),
        "RTPENGINE_RTP": "-".join(map(str, settings.rtpengine_rtp)),
    }
    lines = ["# The demo's settings in force. Written anew at each start: set yours in front of `make demo`."]
    lines += [f"{name}={shlex.quote(value)}" for name, value in {**environment, **ports}.items()]
    write_private(path, "\n".join(lines) + "\n")


def kept_password(path: Path, wanted: str = "ARI_PASSWORD") -> str:
    """The password `wanted` of the first start, from the settings in `path`; a new one when there is none."""
    if path.exists():
        for line in path.read_text().splitlines():
            name, _, value = line.partition("=")
            if name == wanted and value:
                return value
    return secrets.token_urlsafe(24)


def write_private(path: Path, text: str) -> None:
    """Writes a file that nobody but its owner can read, not even for a moment."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)
