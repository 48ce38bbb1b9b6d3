"""`make demo`: installs what is missing, starts Asterisk, two rtpengines, the front end and the SIP edge, brings back
what dies, and stops all on Ctrl-C.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack

from deploy.demo import certificate, install, interrupt, ports, process, rootfs, settings, users
from deploy.demo.asterisk import Asterisk
from deploy.demo.front_end import FrontEnd
from deploy.demo.greeting import greet
from deploy.demo.process import ProgramFailed
from deploy.demo.rtpengine import Rtpengine, loopback_ipv6
from deploy.demo.settings import LOOPBACK, BadSetting, Settings
from deploy.demo.sip_edge import INSIDE, SipEdge
from deploy.demo.steps import StepFailed, Steps, say
from deploy.demo.supervisor import Supervisor

STATE = install.STATE
PR_SET_PDEATHSIG = 1


class AlreadyRunning(Exception):
    """Another demo runs from this folder."""


def main() -> int:
    """Runs the demo until Ctrl-C. 0 then; 1 when something failed, after saying what and where its log is."""
    # When make is killed this ends too, and stops what it started.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        interrupt.on_signals()
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


def _run(wanted: Settings, running: ExitStack) -> None:
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
    environment = settings.front_end_environment(
        wanted,
        STATE,
        ari_password=settings.kept_password(STATE / "env"),
        sip_edge_token=settings.kept_password(STATE / "env", "SIP_EDGE_TOKEN"),
    )
    settings.write(STATE / "env", environment, wanted)
    passwords: dict[str, str] = {}
    if wanted.host:
        certificate.make(STATE / "certificate.pem", STATE / "key.pem", wanted.host, steps)
        passwords = users.make(STATE, steps)

    rtpengines = []
    for number, (port, rtp_range) in enumerate(zip(wanted.ng_ports, wanted.rtpengine_rtp_ranges, strict=True), 1):
        rtpengine = Rtpengine(
            STATE,
            ng_port=port,
            rtp_range=rtp_range,
            host=wanted.public,
            ipv6=loopback_ipv6() if wanted.public == LOOPBACK else "",
            ng_host=LOOPBACK,
            name=f"rtpengine-{number}",
        )
        with steps.step(rtpengine.name):
            running.enter_context(rtpengine)
        rtpengines.append(rtpengine)
    asterisk = Asterisk(
        STATE,
        ari_port=wanted.ari_port,
        sip_port=wanted.pbx_sip_port,
        trunk_port=wanted.trunk_port,
        rtp_range=wanted.asterisk_rtp,
        version=wanted.asterisk,
        ari_user=environment["ARI_USER"],
        ari_password=environment["ARI_PASSWORD"],
        mailboxes=users.pins(STATE),
    )
    with steps.step(f"Asterisk {wanted.asterisk}"):
        running.enter_context(asterisk)
    shown = STATE / "certificate.pem" if wanted.host else None
    front_end = FrontEnd(STATE, environment=environment, url=wanted.url, certificate=shown)
    with steps.step("front end"):
        running.enter_context(front_end)
    edge = _sip_edge(wanted, environment)
    with steps.step(edge.name):
        running.enter_context(edge)
    greet(wanted, passwords)
    supervisor = Supervisor([front_end, *rtpengines, asterisk, edge])
    while True:
        supervisor.watch(60.0)


def _sip_edge(wanted: Settings, front_end: Mapping[str, str]) -> SipEdge:
    """Who may call: without sign-in everybody on this machine, under the name that the client gives itself."""
    told = {
        "SIP_EDGE_PBX": f"{LOOPBACK}:{wanted.pbx_sip_port}",
        "FRONT_END_URL": wanted.url,
        "RTPENGINE_NG": front_end["RTPENGINE_NG"],
        "SIP_REALM": front_end["SIP_REALM"],
    }
    if wanted.host:
        told["FRONT_END_CA"] = f"{INSIDE}/certificate.pem"
    else:
        told["SIP_TRUSTED"] = LOOPBACK
    return SipEdge(
        STATE,
        host=wanted.public,
        port=wanted.sip_port,
        tls_port=wanted.sip_tls_port,
        pbx_port=wanted.pbx_sip_port,
        rpc_port=wanted.sip_edge_rpc_port,
        token=front_end["SIP_EDGE_TOKEN"],
        certificate=STATE / "certificate.pem" if wanted.host else None,
        key=STATE / "key.pem" if wanted.host else None,
        settings=told,
    )


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


if __name__ == "__main__":
    sys.exit(main())
