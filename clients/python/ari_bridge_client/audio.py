"""The sound that a call sends (`Source`), and what it receives (`ReceivedAudio`).

A call is proved by audio, not by states: one side sends a known tone, the other recognises it. Sources are aiortc audio
tracks (20 ms frames, 48 kHz, mono); the last ten seconds of what is received are kept.
It knows nothing of calls, signalling or the network.
"""

import asyncio
import fractions
import math
import time
import wave
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ari_bridge_client.errors import MediaMissing

try:
    import av
    import numpy as np
    from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
    from av import AudioFrame
    from av.audio.resampler import AudioResampler
    from numpy.typing import NDArray
except ImportError as error:
    raise MediaMissing(error.name) from error

Samples = NDArray[np.int16]
"""Mono PCM, 16 bit."""

RATE_HZ = 48_000  # what Opus is decoded to and encoded from
FRAME_SAMPLES = 960  # 20 ms
BUFFER_S = 10.0
TONE_HALF_WIDTH_HZ = 15.0  # to either side, that still count as the tone
MIN_TONE_SHARE = 0.60  # of the energy that must be in that band
MIN_MIXED_TONE_SHARE = 0.05
SILENCE_DBFS = -45.0  # below this nothing is recognised
_WINDOW_S = 0.4  # that `wait_for_tone` analyses: a tone is found within ±5 Hz
_ANALYSIS_INTERVAL_FRAMES = 4  # an FFT for every frame would cost more than it is worth
_MIN_STEADY_S = 0.5  # how long a mix or a silence must last


# --- sent --------------------------------------------------------------------


class Source(MediaStreamTrack):
    """An endless audio track in real time. A subclass makes the samples."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._position = 0  # samples sent so far
        self._started: float | None = None  # the event loop's time of sample 0; None before the first frame

    @abstractmethod
    def samples(self, position: int) -> Samples:
        """The `FRAME_SAMPLES` samples that begin at `position` (samples since the start)."""

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due. Raises MediaStreamError once stopped."""
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        if self._started is None:
            self._started = now
        await asyncio.sleep(max(0.0, self._started + self._position / RATE_HZ - now))
        frame = AudioFrame.from_ndarray(self.samples(self._position).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self._position
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self._position += FRAME_SAMPLES
        return frame


class Tone(Source):
    """A sine tone.

    Args:
        hz: Its frequency.
        dbfs: Its level; 0 is the loudest sine that 16 bits hold.
    """

    def __init__(self, hz: float, *, dbfs: float = -9.0) -> None:
        super().__init__()
        self.hz = hz
        self._amplitude = 32767 * 10 ** (dbfs / 20)

    def samples(self, position: int) -> Samples:
        turns = (np.arange(position, position + FRAME_SAMPLES) * (self.hz / RATE_HZ)) % 1.0
        wave_form: Samples = (np.sin(2 * np.pi * turns) * self._amplitude).astype(np.int16)
        return wave_form


class Silence(Source):
    """Digital silence: packets are sent, nothing is heard."""

    def samples(self, position: int) -> Samples:
        return np.zeros(FRAME_SAMPLES, dtype=np.int16)


class File(Source):
    """A sound file of any format that FFmpeg reads. It is followed by silence.

    It is read as a whole at once: OSError (no such file, no sound file) is raised here, not in the middle of a call.

    Args:
        path: The file.
        repeat: Play it again and again.
    """

    def __init__(self, path: str | Path, *, repeat: bool = False) -> None:
        super().__init__()
        self._sound = _read_sound(Path(path))
        self._repeat = repeat

    @property
    def seconds(self) -> float:
        return len(self._sound) / RATE_HZ

    def samples(self, position: int) -> Samples:
        if self._repeat and len(self._sound):
            return self._sound[np.arange(position, position + FRAME_SAMPLES) % len(self._sound)]
        part = self._sound[position : position + FRAME_SAMPLES]
        return np.pad(part, (0, FRAME_SAMPLES - len(part)))


def _read_sound(path: Path) -> Samples:
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    parts: list[Samples] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise OSError(f"{path} has no audio")
            for frame in container.decode(audio=0):
                parts += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        parts += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    except av.FFmpegError as error:
        raise OSError(f"{path} cannot be read as sound: {error.strerror}") from error
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int16)


# --- received ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SoundAnalysis:
    """What a piece of audio sounds like.

    Attributes:
        seconds: Its length.
        level_dbfs: Its level; 0 is the loudest sine.
        frequency: The strongest one, in Hz; 0 if it is silent.
        share: Of the energy within ±15 Hz of `frequency`, 0 to 1.
    """

    seconds: float = 0.0
    level_dbfs: float = -math.inf
    frequency: float = 0.0
    share: float = 0.0

    @property
    def is_silent(self) -> bool:
        return self.level_dbfs <= SILENCE_DBFS

    def __str__(self) -> str:
        if not self.seconds:
            return "no audio at all"
        if self.is_silent:
            return "silence" if self.level_dbfs == -math.inf else f"near silence ({self.level_dbfs:.0f} dBFS)"
        kind = "a tone" if self.share >= MIN_TONE_SHARE else "speech, music or noise, strongest"
        return f"{kind} at {self.frequency:.0f} Hz ({self.share:.0%} of the energy, {self.level_dbfs:.0f} dBFS)"


@dataclass(frozen=True, slots=True)
class _Spectrum:
    frequencies: NDArray[np.float64]
    power: NDArray[np.float64]
    level_dbfs: float

    def share(self, hz: float) -> float:
        """How much of the energy lies within ±15 Hz of `hz`."""
        total = float(self.power.sum())
        band = np.abs(self.frequencies - hz) <= TONE_HALF_WIDTH_HZ
        return float(self.power[band].sum()) / total if total else 0.0


def _spectrum(samples: Samples, rate: int) -> _Spectrum:
    wave_form: NDArray[np.float64] = samples.astype(np.float64) / 32768
    wave_form -= wave_form.mean() if len(wave_form) else 0.0  # the silence of µ-law may be an offset
    rms = math.sqrt(float(np.mean(wave_form**2))) if len(wave_form) else 0.0
    # The Hann window keeps a tone between two FFT lines from leaking over the whole spectrum.
    power: NDArray[np.float64] = np.zeros(0)
    if len(wave_form):
        power = (np.abs(np.fft.rfft(wave_form * np.hanning(len(wave_form)))) ** 2).astype(np.float64)
    level = 20 * math.log10(rms * math.sqrt(2)) if rms else -math.inf
    frequencies: NDArray[np.float64] = np.zeros(0)
    if len(wave_form):
        frequencies = np.fft.rfftfreq(len(wave_form), 1 / rate).astype(np.float64)
    return _Spectrum(frequencies, power, level)


def analyze(samples: Samples, rate: int = RATE_HZ) -> SoundAnalysis:
    """What samples sound like; `rate` in Hz."""
    spectrum = _spectrum(samples, rate)
    seconds = len(samples) / rate
    if spectrum.level_dbfs <= SILENCE_DBFS:
        return SoundAnalysis(seconds, spectrum.level_dbfs)
    peak = int(np.argmax(spectrum.power))
    frequency = float(spectrum.frequencies[peak])
    if 0 < peak < len(spectrum.power) - 1:
        # A parabola through the logarithms of three lines finds the maximum between them.
        below, top, above = np.log(spectrum.power[peak - 1 : peak + 2] + 1e-30)
        if (curve := below - 2 * top + above) < 0:
            frequency += 0.5 * float((below - above) / curve) * float(spectrum.frequencies[1])
    return SoundAnalysis(seconds, spectrum.level_dbfs, frequency, spectrum.share(frequency))


def is_tone(samples: Samples, hz: float, rate: int = RATE_HZ) -> bool:
    """Whether samples are a tone of `hz`: at least 60 % of the energy within ±15 Hz, above -45 dBFS."""
    spectrum = _spectrum(samples, rate)
    return spectrum.level_dbfs > SILENCE_DBFS and spectrum.share(hz) >= MIN_TONE_SHARE


def find_tones(samples: Samples, known: Iterable[float], rate: int = RATE_HZ) -> set[float]:
    """Which of the `known` tones (Hz) are in a mix, each with at least 5 % of the energy; none if it is silent."""
    spectrum = _spectrum(samples, rate)
    if spectrum.level_dbfs <= SILENCE_DBFS:
        return set()
    return {hz for hz in known if spectrum.share(hz) >= MIN_MIXED_TONE_SHARE}


class ToneNotHeard(Exception):
    """The tone did not come in time; `sound` is what was received last instead."""

    def __init__(self, hz: float, seconds: float, sound: SoundAnalysis, why: str = "") -> None:
        super().__init__(hz, seconds, sound, why)
        self.hz = hz
        self.seconds = seconds
        self.sound = sound
        self.why = why

    def __str__(self) -> str:
        when = self.why or f"within {self.seconds:g} s"
        return f"{self.hz:g} Hz was not heard {when}; heard last: {self.sound}"


class TonesNotHeard(Exception):
    """Other tones were received than were wanted."""

    def __init__(self, wanted: set[float], heard: set[float], seconds: float) -> None:
        super().__init__(wanted, heard, seconds)
        self.wanted = wanted
        self.heard = heard
        self.seconds = seconds

    def __str__(self) -> str:
        wanted, heard = (", ".join(f"{hz:g}" for hz in sorted(tones)) or "none" for tones in (self.wanted, self.heard))
        return f"wanted were the tones {wanted} Hz within {self.seconds:g} s; heard at last: {heard}"


class ReceivedAudio:
    """The last ten seconds of what a call has received.

    Attributes:
        rate: In Hz; the codec decides.
        total_seconds: Received since the start, not only what is kept.
    """

    def __init__(self) -> None:
        self.rate = RATE_HZ
        self.total_seconds = 0.0
        self._parts: deque[Samples] = deque()
        self._buffered = 0  # samples in `_parts`
        self._frames = 0
        self._closed = False
        self._changed = asyncio.Event()  # replaced at every frame, so that each waiter wakes once
        self._recording: wave.Wave_write | None = None
        self._record_to: Path | None = None
        self._listeners: list[Callable[[Samples, int], None]] = []

    def on_frame(self, listener: Callable[[Samples, int], None]) -> None:
        """Have a function called with every frame.

        Args:
            listener: Called with the samples and their rate in Hz. It must be quick.
        """
        self._listeners.append(listener)

    def record(self, path: str | Path) -> None:
        """Write everything that is received from now on to a WAV file, which is created with the first frame."""
        self._record_to = Path(path)

    def feed_frame(self, frame: AudioFrame) -> None:
        """Add a decoded frame of any layout in packed 16 bit."""
        channels = len(frame.layout.channels)
        samples = frame.to_ndarray()[0].reshape(-1, channels)
        self.feed(samples[:, 0].astype(np.int16), frame.sample_rate)

    def feed(self, samples: Samples, rate: int = RATE_HZ) -> None:
        """Add samples at `rate` Hz; another rate than before drops what was kept."""
        if rate != self.rate:
            self.rate = rate
            self._parts.clear()
            self._buffered = 0
        self._parts.append(samples)
        self._buffered += len(samples)
        self.total_seconds += len(samples) / rate
        while self._buffered - len(self._parts[0]) >= BUFFER_S * rate:
            self._buffered -= len(self._parts.popleft())
        self._write(samples, rate)
        for listener in self._listeners:
            listener(samples, rate)
        self._frames += 1
        self._notify()

    def close(self) -> None:
        """No more will come: wakes the waiters, finishes the recording. Safe to repeat."""
        self._closed = True
        if self._recording:
            self._recording.close()
            self._recording = None
        self._record_to = None
        self._notify()

    def last(self, seconds: float = BUFFER_S) -> Samples:
        """The newest `seconds` of audio, or less if less was received."""
        wanted = round(seconds * self.rate)
        parts: list[Samples] = []
        for part in reversed(self._parts):
            if wanted <= 0:
                break
            parts.append(part[-wanted:])
            wanted -= len(part)
        return np.concatenate(parts[::-1]) if parts else np.zeros(0, dtype=np.int16)

    def analyze(self, seconds: float = 0.5) -> SoundAnalysis:
        """What the newest `seconds` of audio sound like."""
        return analyze(self.last(seconds), self.rate)

    async def wait_for_tones(self, wanted: set[float], known: Iterable[float], timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Wait until exactly the `wanted` of the `known` tones are heard for half a second.

        Args:
            wanted: In Hz. While no packets come, no tone is heard.
            known: In Hz.
            timeout: Seconds.

        Raises TonesNotHeard.
        """
        known, heard = set(known), set[float]()
        end = since = time.monotonic()
        end += timeout
        while (now := time.monotonic()) < end:
            if heard != wanted:
                since = now
            elif now - since >= _MIN_STEADY_S:
                return
            try:
                async with asyncio.timeout(0.2):
                    await self._changed.wait()
                heard = find_tones(self.last(0.25), known, self.rate)
            except TimeoutError:
                heard = set()
        raise TonesNotHeard(wanted, heard, timeout)

    async def wait_for_silence(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Wait until there is no sound for half a second, or no packets come. Raises ToneNotHeard."""
        end = since = time.monotonic()
        end += timeout
        while (now := time.monotonic()) < end:
            if now - since >= _MIN_STEADY_S:
                return
            try:
                async with asyncio.timeout(0.2):
                    await self._changed.wait()
                if not self.analyze(0.1).is_silent:
                    since = time.monotonic()
            except TimeoutError:
                pass
        raise ToneNotHeard(0, timeout, self.analyze(), "silence was wanted")

    async def wait_for_tone(self, hz: float, timeout: float = 5.0) -> SoundAnalysis:  # noqa: ASYNC109
        """Wait until a tone of `hz` is heard.

        Args:
            hz: The frequency.
            timeout: Seconds.

        Raises ToneNotHeard after the timeout, or as soon as no more audio will come.
        """
        try:
            async with asyncio.timeout(timeout):
                while not self._closed:
                    changed = self._changed
                    window = self.last(_WINDOW_S)
                    # At least half a window: the shorter it is, the wider a tone looks.
                    if len(window) >= _WINDOW_S / 2 * self.rate and is_tone(window, hz, self.rate):
                        return self.analyze(_WINDOW_S)
                    seen = self._frames
                    while self._frames < seen + _ANALYSIS_INTERVAL_FRAMES and not self._closed:
                        changed = self._changed
                        await changed.wait()
        except TimeoutError:
            raise ToneNotHeard(hz, timeout, self.analyze()) from None
        raise ToneNotHeard(hz, timeout, self.analyze(), "before the audio ended")

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _write(self, samples: Samples, rate: int) -> None:
        if self._recording is None:
            if self._record_to is None:
                return
            self._recording = wave.open(str(self._record_to), "wb")
            self._recording.setnchannels(1)
            self._recording.setsampwidth(2)
            self._recording.setframerate(rate)
        self._recording.writeframes(samples.tobytes())


async def feed_from_track(track: MediaStreamTrack, received: ReceivedAudio) -> None:
    """Feed a track into `received` until the track ends. `received` is not closed: another track may follow."""
    try:
        while True:
            frame: Any = await track.recv()
            received.feed_frame(frame)
    except MediaStreamError:
        pass
