"""The demo's music (number 602): sixteen seconds of plucked strings, computed here, so it is nobody's but ours."""

from __future__ import annotations

import array
import random
import wave
from pathlib import Path

RATE = 8000  # samples a second, 16 bit: what a PCMU call carries
BEAT = 0.25  # seconds
CHORDS = (
    (220.00, 261.63, 329.63, 440.00),  # A minor
    (174.61, 261.63, 349.23, 440.00),  # F
    (196.00, 261.63, 329.63, 392.00),  # C over G
    (196.00, 246.94, 293.66, 392.00),  # G
)
PATTERN = (0, 1, 2, 3, 2, 1, 2, 1)  # which note of the chord on each beat


def write(path: Path) -> None:
    """Writes the music as a wav file, unless it is there already."""
    if path.exists():
        return
    samples = _compose()
    loudest = max(abs(sample) for sample in samples)
    pcm = array.array("h", (int(sample / loudest * 14000) for sample in samples))
    unfinished = path.with_suffix(".unfinished")
    with wave.open(str(unfinished), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm.tobytes())
    unfinished.rename(path)


def _compose() -> list[float]:
    notes = [chord[step] for chord in CHORDS for _ in range(2) for step in PATTERN]
    step = int(BEAT * RATE)
    samples = [0.0] * (step * len(notes))
    for number, pitch in enumerate(notes):
        for offset, value in enumerate(_pluck(pitch, seconds=1.5)):
            # What rings beyond the end is heard at the start: the loop has no seam.
            samples[(number * step + offset) % len(samples)] += value
    return samples


def _pluck(pitch: float, *, seconds: float) -> list[float]:
    """A plucked string after Karplus and Strong: noise in a delay line that is averaged each time round."""
    noise = random.Random(pitch)
    line = [noise.uniform(-1, 1) for _ in range(round(RATE / pitch))]
    sound = []
    for number in range(int(seconds * RATE)):
        place = number % len(line)
        sound.append(line[place])
        line[place] = 0.498 * (line[place] + line[(place + 1) % len(line)])
    return sound
