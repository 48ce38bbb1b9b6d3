"""How much of the log is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """Asterisk's own events are many and large, so fewer of them are kept.

    Args:
        days: how long an event is kept.
        events: how many are kept at most; without those of Asterisk.
        ari_events: how many of Asterisk's own are kept at most.
    """

    days: float = 7.0
    events: int = 1_000_000
    ari_events: int = 100_000
