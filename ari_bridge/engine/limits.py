"""How long a call waits for what, and how many calls there may be."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ari_bridge.engine.usage_alarms import AlarmSettings
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.rules.media import SILENCE_TIMEOUT_S
from ari_bridge.fsm.timing import Timing

EXPLAIN_TIMEOUT_S = 1.0
"""After StasisEnd a ChannelDestroyed, which has the cause, follows within milliseconds."""


DEAD_MAN_MARGIN_S = 120.0
"""How much longer Asterisk lets a channel live than we let its call: a prepared media leg waits for its call, and ours
is the limit that says why."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds, and counts."""

    ring_timeout: float = 45.0
    setup_timeout: float = 10.0
    grace: float = 30.0  # from the loss of the page, or of its media, to the end of the call
    pbx_grace: float = 2.0  # without an event stream, until the calls count as lost
    max_calls: int = 1000
    max_calls_per_user: int = 4
    max_legs: int = 1000  # at once that all users have called out
    max_legs_per_tenant: int = 1000  # the same, of the users of one tenant
    max_legs_per_user: int = 12  # at once, those of calls that the user has left or transferred included
    max_legs_per_minute: int = 60  # that a user causes
    max_legs_per_day: int = 1000  # that a user causes
    max_forwards_per_user: int = 2  # at once, to outside
    max_minutes_per_day: Mapping[str, float] = field(default_factory=dict)  # of a user, by class of number
    max_call_seconds: float = 14400.0  # from the answer on
    max_left_call_seconds: float = 3600.0  # from when our side has left
    alarms: AlarmSettings = AlarmSettings()
    record_all: bool = False
    announcement: str = ""  # the URI of a sound, e.g. `sound:beep`, played to everybody when a recording starts

    def duration(self, timer: Timer) -> float:
        """How long the timer runs."""
        match timer:
            case Timer.RING | Timer.PARTY:
                return self.ring_timeout
            case Timer.SETUP:
                return self.setup_timeout
            case Timer.EXPLAIN:
                return EXPLAIN_TIMEOUT_S
            case Timer.GRACE:
                return self.grace
            case Timer.MUSIC:
                return SILENCE_TIMEOUT_S
            case Timer.MEDIA:  # even without a grace, a browser needs time for ICE and DTLS
                return max(self.grace, self.setup_timeout)

    @property
    def longest_channel_s(self) -> int:
        """When Asterisk ends a channel by itself, though nobody asks it to."""
        return math.ceil(self.max_call_seconds + self.ring_timeout + DEAD_MAN_MARGIN_S)

    def timing(self) -> Timing:
        return Timing(time.monotonic(), self.duration)
