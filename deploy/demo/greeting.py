"""What the demo tells the person who started it: where to look, whom to call, what to break."""

from __future__ import annotations

from collections.abc import Iterable

from deploy.demo import install
from deploy.demo.settings import LOOPBACK, NUMBERS, USERS, Settings
from deploy.demo.steps import say


def greet(wanted: Settings, passwords: dict[str, str]) -> None:
    """Prints it. `passwords` by user name; empty where no sign-in is asked for."""
    state = install.STATE.relative_to(install.PROJECT)
    say("")
    _say("Open", [wanted.url])
    _say("Dashboard", [f"{wanted.url}/dashboard"])
    if wanted.host:
        _say("", ["(its certificate is the demo's own: the browser asks once whether to trust it)"])
        _say("Users", [f"{name}  {word}" for name, word in passwords.items()])
    else:
        _say("Users", [f"{USERS[0]} to {USERS[-1]}, no password on this machine"])
    _say("Dial", [f"{number:<9}  {what}" for number, what in NUMBERS.items()])
    _say(
        "",
        [
            f"{USERS[0]}-{USERS[-1]}  another browser user",
            f"7xxx       out over the SIP trunk to {LOOPBACK}:{wanted.trunk_port}",
        ],
    )
    _say("SIP", _sip(wanted))
    _say("Terminal", [_headless_call(wanted), ".venv/bin/ari-bridge doctor"])
    _say("Settings", [f"{state}/env, logs beside it"])
    say("\n  Break it during a call: what dies is started again, and the call goes on (README, Try to break it)")
    for part in ("front-end", "rtpengine-1", "rtpengine-2"):
        say(f"            kill -9 $(cat {state}/{part}.pid)")
    say("\n  Ctrl-C stops all of it.")


def _sip(wanted: Settings) -> list[str]:
    """How a SIP phone or a program calls."""
    tls = f", TLS {wanted.sip_tls_port}" if wanted.host else ""
    how = f"phones and programs call sip:1001@{wanted.public}:{wanted.sip_port} (UDP, TCP{tls}; docs/DIRECT_SIP.md)"
    if not wanted.host:
        return [how]
    return [how, f".venv/bin/ari-bridge user sip-password {USERS[0]}   makes the password for it"]


def _say(title: str, lines: Iterable[str]) -> None:
    for line in lines:
        say(f"  {title:<9} {line}")
        title = ""


def _headless_call(wanted: Settings) -> str:
    command = ".venv/bin/ari-bridge call 601 --expect-tone 1004"
    if wanted.host:
        command = f"PASSWORD=... {command} --user {USERS[0]} --url wss://{wanted.host}:{wanted.http_port}/ws --insecure"
    elif wanted.http_port != 3000:
        command += f" --url ws://{LOOPBACK}:{wanted.http_port}/ws"
    return command
