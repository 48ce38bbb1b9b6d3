"""Deadlines that outlive the process: part of the call, and measured on the monotonic clock. Pure.

A timer of the event loop dies with its process, and a new one would start from zero at each restart. So its deadline is
part of the call, and of its record. Times are seconds of CLOCK_MONOTONIC (the same for all processes since boot): steps
of the wall clock do not affect them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

import msgspec


class Timer(Enum):
    """The value names it in logs and rows. How long each runs is in `engine.limits`."""

    RING = "ring"  # how long the far side, or the pages, may ring
    SETUP = "setup"  # within this, media and bridge must be set up
    EXPLAIN = "explain"  # after StasisEnd, how long ChannelDestroyed with the cause may take
    GRACE = "grace"  # within this, the page, or its media, must be back
    PARTY = "party"  # how long a further party may ring
    MUSIC = "music"  # how long the far side hears silence before music is played
    MEDIA = "media"  # within this, over and over, RTP must come from the browser of an answered call

    @property
    def outlives(self) -> bool:
        """Whether it continues after a restart. The others are about requests, which die with the process."""
        return self in (Timer.RING, Timer.GRACE, Timer.PARTY, Timer.MEDIA)


class Deadline(msgspec.Struct, frozen=True):
    """Of a running timer: since when it runs, and when it expires."""

    timer: Timer
    party: int  # of a timer of a party; else 0
    since: float
    due: float


Deadlines = tuple[Deadline, ...]


@dataclass(frozen=True)
class Timing:
    """`now`: the monotonic clock. `duration`: how long a timer runs, unless the call itself says."""

    now: float
    duration: Callable[[Timer], float]


MIN_RETURN_S = 5.0
"""A page has at least this long to come back to a new process: while none served, it could not."""
MIN_CHECK_S = 1.0
"""Before an expired timer may end an adopted call, rtpengine is asked whether the browser sends RTP."""


def find_deadline(deadlines: Iterable[Deadline], timer: Timer, party: int = 0) -> Deadline | None:
    return next((one for one in deadlines if one.timer is timer and one.party == party), None)


def without_deadline(deadlines: Deadlines, timer: Timer, party: int = 0) -> Deadlines:
    return tuple(one for one in deadlines if one.timer is not timer or one.party != party)


def resumed(before: Deadline | None, timer: Timer, party: int, now: float, seconds: float, ran: float) -> Deadline:
    """The deadline of a call that a new process adopts.

    Args:
        before: as recorded; None if it did not run, or if an earlier version recorded none.
        timer: which timer.
        party: of a timer of a party, whose; else 0.
        now: the monotonic clock.
        seconds: how long it runs, by the present settings.
        ran: for how many seconds it has run, if `before` is None.

    An absent page gets at least MIN_RETURN_S, but no grace lasts more than twice as long as it is set.
    """
    if before is None:
        since = now - min(max(0.0, ran), seconds)
        before = Deadline(timer, party, since, since + seconds)
    since = min(before.since, now)
    due = min(before.due, since + seconds)
    if timer is Timer.GRACE:
        due = max(due, min(now + MIN_RETURN_S, since + 2 * seconds))
    if timer in (Timer.GRACE, Timer.MEDIA):
        due = max(due, now + min(MIN_CHECK_S, seconds))
    return Deadline(timer, party, since, due)
