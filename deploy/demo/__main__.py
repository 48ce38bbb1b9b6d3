"""`make demo`: installs what is missing, starts Asterisk, rtpengine and the front end, and stops all on Ctrl-C."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from types import FrameType

from deploy.demo import certificate, install, ports, process, rootfs, settings, users
from deploy.demo.asterisk import Asterisk
from deploy.demo.process import Process, ProgramFailed, die_with_parent
from deploy.demo.rtpengine import Rtpengine
from deploy.demo.settings import LOOPBACK, NUMBERS, USERS, BadSetting, Settings
from deploy.demo.steps import StepFailed, Steps, say

STATE = install.STATE
PR_SET_PDEATHSIG = 1
HEALTH_PATIENCE = 30.0  # seconds for the front end to call itself healthy


class AlreadyRunning(Exception):
    """Another demo runs from this folder."""


def main() -> int:
    """Runs the demo until Ctrl-C. 0 then; 1 when something failed, after saying what and where its log is."""
    # When make is killed this ends too, and stops what it started.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        with ExitStack() as running:
            _run(settings.read(), running)
    except KeyboardInterrupt:
        say("\nStopped. Nothing is left running.")
        return 0
    except (BadSetting, AlreadyRunning, rootfs.NoMirror, StepFailed, ProgramFailed) as error:
        say(f"\n{error}")
        return 1
    except ports.PortsTaken as error:
        say("\nNothing was started:")
        for taken in error.taken:
            say(f"  {taken}")
        say("Stop that process, or choose another port in front of the command, e.g. HTTP_PORT=3100 make demo")
        return 1
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A second signal must not break off the stopping.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(wanted: Settings, running: ExitStack) -> None:
    signal.signal(signal.SIGINT, _interrupt)
    STATE.mkdir(exist_ok=True)
    STATE.chmod(0o700)
    _lock(running)
    left = process.clear_leftovers(STATE)
    if left:
        say(f"  ✓ ended what an earlier demo left behind (pid {', '.join(map(str, left))})")
    if wanted.host:
        _require_own_address(wanted.host)
    ports.require_free(wanted.ports())

    steps = Steps(STATE / "install.log")
    install.install_for_demo(steps, asterisk=wanted.asterisk)
    environment = settings.front_end_environment(wanted, STATE, ari_password=settings.kept_password(STATE / "env"))
    settings.write(STATE / "env", environment, wanted)
    passwords: dict[str, str] = {}
    if wanted.host:
        certificate.make(STATE / "certificate.pem", STATE / "key.pem", wanted.host, steps)
        passwords = users.make(STATE, steps)

    with steps.step("rtpengine"):
        rtpengine = Rtpengine(
            STATE, ng_port=wanted.ng_port, rtp_range=wanted.rtpengine_rtp, host=wanted.public, ng_host=LOOPBACK
        )
        running.enter_context(rtpengine)
    with steps.step(f"Asterisk {wanted.asterisk}"):
        asterisk = Asterisk(
            STATE,
            ari_port=wanted.ari_port,
            sip_port=wanted.sip_port,
            trunk_port=wanted.trunk_port,
            rtp_range=wanted.asterisk_rtp,
            version=wanted.asterisk,
            ari_user=environment["ARI_USER"],
            ari_password=environment["ARI_PASSWORD"],
        )
        running.enter_context(asterisk)
    with steps.step("front end"):
        front_end = _start_front_end(environment)
        running.callback(front_end.stop)
        _wait_until_healthy(front_end, wanted)
    _greet(wanted, passwords)
    while True:
        time.sleep(0.5)
        for part in (front_end, rtpengine, asterisk):
            part.require_running()


def _lock(running: ExitStack) -> None:
    """Holds `.demo/lock` while this runs: a second demo from the same folder would end the first one's parts."""
    lock = running.enter_context((STATE / "lock").open("a+"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise AlreadyRunning(f"The demo runs already (pid {lock.read().strip()}): Ctrl-C there stops it.") from None
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def _require_own_address(host: str) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError:
        fault = f"{host} is no address of this machine"
        raise BadSetting("HOST", fault, "HOST=ADDRESS with one from `ip address`") from None


def _start_front_end(environment: dict[str, str]) -> Process:
    return Process(
        "the front end",
        die_with_parent([str(install.VENV / "bin" / "ari-bridge"), "serve"]),
        log=STATE / "front-end.log",
        pid_file=STATE / "front-end.pid",
        env={**os.environ, **environment},
    )


def _wait_until_healthy(front_end: Process, wanted: Settings) -> None:
    """Returns when `/health` says 200: then Asterisk and rtpengine are reached too. Raises `ProgramFailed`."""
    said = "no answer yet"
    end = time.monotonic() + HEALTH_PATIENCE
    trust = ssl.create_default_context(cafile=STATE / "certificate.pem") if wanted.host else None
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if trust:
        handlers.append(urllib.request.HTTPSHandler(context=trust))
    direct = urllib.request.build_opener(*handlers)
    while time.monotonic() < end:
        front_end.require_running()
        try:
            with direct.open(f"{wanted.url}/health", timeout=2):
                return
        except urllib.error.HTTPError as error:
            said = _reasons(error.read())
        except OSError as error:
            said = str(error)
        time.sleep(0.1)
    raise ProgramFailed("the front end", f"{wanted.url}/health within {HEALTH_PATIENCE:.0f} s: {said}", front_end.log)


def _reasons(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body))[:400]
    except ValueError:
        return body[:400].decode(errors="replace")


def _greet(wanted: Settings, passwords: dict[str, str]) -> None:
    say(f"\n  Open      {wanted.url}")
    say(f"  Dashboard {wanted.url}/dashboard")
    if wanted.host:
        say("            (its certificate is the demo's own: the browser asks once whether to trust it)")
        say("  Users     " + "\n            ".join(f"{name}  {word}" for name, word in passwords.items()))
    else:
        say(f"  Users     {USERS[0]} to {USERS[-1]}, no password on this machine")
    say("  Dial      " + "\n            ".join(f"{number:<9}  {what}" for number, what in NUMBERS.items()))
    say(f"            {USERS[0]}-{USERS[-1]}  another browser user")
    say(f"            7xxx       out over the SIP trunk to {LOOPBACK}:{wanted.trunk_port}")
    say(
        f"  SIP       phones on this machine reach {USERS[0]} at sip:{USERS[0]}@{LOOPBACK}:{wanted.sip_port} (UDP, TCP)"
    )
    say(f"  Settings  {(STATE / 'env').relative_to(install.PROJECT)}, logs beside it")
    say("\n  Ctrl-C stops all of it.")


if __name__ == "__main__":
    sys.exit(main())
