"""Deadlines that outlive the process: kept in the call, on a clock that nobody sets. Pure.

A timer of the event loop dies with its process, and a new one would give the time anew at each restart. So what
counts is when it is over, which is part of the call and so of its record. Times are seconds of the machine's monotonic
clock (CLOCK_MONOTONIC, one for all processes since boot): a step of the wall clock neither cuts nor stretches them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

import msgspec


class Timer(Enum):
    """The value names it in logs and records. How long each runs is the task's business (`Limits`)."""

    RING = "ring"  # the far side, or the pages, may ring so long
    SETUP = "setup"  # media and bridge must stand within this
    EXPLAIN = "explain"  # a channel left us: its end event, which says why, must come within this
    GRACE = "grace"  # the page, or new media for it, must be back within this
    PARTY = "party"  # a further party may ring so long
    MUSIC = "music"  # when the far side has heard nothing for so long, music is played to it
    MEDIA = "media"  # the browser of an answered call must be heard within this, and again within this

    @property
    def outlives(self) -> bool:
        """Whether it goes on after a restart. The others are about requests, which do not outlive us either."""
        return self in (Timer.RING, Timer.GRACE, Timer.PARTY, Timer.MEDIA)


class Deadline(msgspec.Struct, frozen=True):
    """A timer that runs: since when, and when it is over."""

    timer: Timer
    party: int  # whose, of a timer of a party; else 0
    since: float
    due: float


Deadlines = tuple[Deadline, ...]


@dataclass(frozen=True)
class Timing:
    """`now`: the monotonic clock. `seconds`: how long a timer runs, where the call itself does not say."""

    now: float
    duration: Callable[[Timer], float]


MIN_RETURN_S = 5.0
"""What a page has at least to come back to a new process: while none served, it could not."""
MIN_CHECK_S = 1.0
"""rtpengine is asked first whether the browser is heard, before a call ends by what happened while nobody looked."""


def find_deadline(deadlines: Iterable[Deadline], timer: Timer, party: int = 0) -> Deadline | None:
    return next((one for one in deadlines if one.timer is timer and one.party == party), None)


def without_deadline(deadlines: Deadlines, timer: Timer, party: int = 0) -> Deadlines:
    return tuple(one for one in deadlines if one.timer is not timer or one.party != party)


def resumed(before: Deadline | None, timer: Timer, party: int, now: float, seconds: float, ran: float) -> Deadline:
    """The deadline of a call that a new process takes over.

    `before`: as recorded; None where it did not run, or an older version kept none: then `ran` says for how many
    seconds it has run. `seconds`: how long it may, as is set now. A page that waits gets RETURN_SECONDS, but the grace
    never lasts twice as long as it is set.
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
