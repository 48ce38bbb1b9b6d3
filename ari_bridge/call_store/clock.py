"""By which clocks a record was written, so that its deadlines mean the same to another process.

Deadlines are on the monotonic clock, which is one for all processes since the machine's boot. After another boot, or on
another machine, only the wall clock tells how much time has passed.
"""

import functools
import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ari_bridge.fsm.timing import Deadlines

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(msgspec.Struct, frozen=True):
    """`boot`: the machine's boot id; "" if it is not known. The others are seconds, `wall` since the Unix epoch."""

    boot: str
    monotonic: float
    wall: float


def read() -> Clock:
    return Clock(_boot(), time.monotonic(), time.time())


def as_of(deadlines: Deadlines, written: Clock, now: Clock) -> Deadlines:
    """Deadlines that were written by one clock, by another."""
    if written.boot and written.boot == now.boot:
        return deadlines
    passed = max(0.0, now.wall - written.wall)
    shift = now.monotonic - written.monotonic - passed
    return tuple(replace(one, since=one.since + shift, due=one.due + shift) for one in deadlines)


def set_by(written: Clock, now: Clock) -> float:
    """By how many seconds the wall clock was set since; 0 if unknown, as after a reboot."""
    if not written.boot or written.boot != now.boot:
        return 0.0
    return (now.wall - written.wall) - (now.monotonic - written.monotonic)


@functools.cache
def _boot() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
