"""How long a known tone was not heard: the measure of every promise about sound.

A tone itself is recognised in `ari_bridge_client.audio`.

Audio is looked at in frames of 20 ms; a frame has the tone or it has not. No frame at all and a frame without the
tone count the same: silence. Times are Unix seconds, so that what different programs of a machine heard fits together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ari_bridge_client.audio import MIN_TONE_SHARE, SILENCE_DBFS, Samples

FRAME_SECONDS = 0.02
JITTER = 0.02
"""Frames arrive a little early or late; a gap below this is none. Seconds."""

Span = tuple[float, float]
"""First and last moment, Unix seconds."""


def has_tone(samples: Samples, hz: float, rate: int) -> bool:
    """Whether a short frame is a tone of `hz`: 60 % of the energy and above -45 dBFS, as `tones.is_tone` has it.

    An FFT of 20 ms has lines 50 Hz apart, so the frame is compared with the tone itself instead.
    """
    count = len(samples)
    if count == 0:
        return False
    wave = samples.astype(np.float64) / 32768
    wave -= wave.mean()
    energy = float(wave @ wave)
    if energy == 0 or 20 * np.log10(np.sqrt(2 * energy / count)) <= SILENCE_DBFS:
        return False
    turns = np.exp(-2j * np.pi * hz / rate * np.arange(count))
    return float(2 * abs(wave @ turns) ** 2 / (count * energy)) >= MIN_TONE_SHARE


@dataclass
class TonePresence:
    """When the tone was there. `spans` are in order, and apart by at least `JITTER`.

    `other`: when there was sound without the tone (music, or digital silence), where the ears can tell it from none.
    """

    spans: list[Span] = field(default_factory=list)
    other: list[Span] = field(default_factory=list)

    def heard(self, start: float, end: float, *, tone: bool = True) -> None:
        """A frame from `start` to `end`; frames that overlap or follow at once become one span."""
        spans = self.spans if tone else self.other
        if spans and start - spans[-1][1] < JITTER:
            first, last = spans[-1]
            spans[-1] = (min(first, start), max(last, end))
        else:
            spans.append((start, end))

    def other_within(self, since: float, until: float) -> float:
        """Seconds of other sound between the two moments."""
        return sum(max(0.0, min(end, until) - max(start, since)) for start, end in self.other)

    @property
    def last(self) -> float:
        """When it was heard last; 0 if never."""
        return self.spans[-1][1] if self.spans else 0.0

    def silences(self, since: float, until: float) -> list[Span]:
        """The times between `since` and `until` in which the tone was not there."""
        return list(silences(self.spans, since, until))

    def longest_silence(self, since: float, until: float) -> float:
        """Seconds; 0 where the tone never stopped."""
        return max((end - start for start, end in self.silences(since, until)), default=0.0)

    def again(self, after: float, *, seconds: float = 0.1) -> float | None:
        """When the tone was first there after `after`, to stay for `seconds` at least; None: not yet."""
        for start, end in self.spans:
            begin = max(start, after)
            if end - begin >= seconds:
                return begin
        return None


def silences(spans: list[Span], since: float, until: float) -> Iterator[Span]:
    """What `spans` leave open between `since` and `until`; less than `JITTER` is not counted."""
    reached = since
    for start, end in spans:
        if end <= reached:
            continue
        if start >= until:
            break
        if start - reached >= JITTER:
            yield reached, start
        reached = end
    if until - reached >= JITTER:
        yield reached, until


@dataclass
class Clock:
    """Places frames of one stream in time by their count, as a player does, and not by when a busy program saw them.

    `slack`: a stream that is this many seconds late, or that skipped, is anchored anew.
    """

    slack: float = 0.25
    _origin: float | None = None  # when sample 0 was heard, Unix seconds

    def place(self, position: float, arrived: float) -> float:
        """When the frame that ends at `position` (seconds of the stream) was heard; it arrived at `arrived`."""
        origin = arrived - position
        if self._origin is None or abs(origin - self._origin) > self.slack:
            self._origin = origin
        self._origin = min(self._origin, origin)  # the one that was delayed least knows best
        return self._origin + position
