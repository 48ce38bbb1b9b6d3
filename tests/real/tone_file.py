"""A tone as a sound file, for browsers whose microphone is a file."""

import wave
from pathlib import Path

import numpy as np

RATE = 48_000  # Hz
SECONDS = 10  # a whole number, so that a tone of whole Hz is repeated without a click


def write_tone(path: Path, hz: float) -> None:
    """16 bit mono, `SECONDS` long, to be played over and over."""
    samples = np.sin(2 * np.pi * hz * np.arange(RATE * SECONDS) / RATE) * 12_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype(np.int16).tobytes())
