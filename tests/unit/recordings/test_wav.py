"""A sound file whose writer died is made whole; a whole one is not touched."""

import struct
import wave
from pathlib import Path

import pytest

from ari_bridge.recordings import wav
from tests.fakes.recordings import a_sound

HEAD = 44  # bytes before the sound, as Asterisk writes it


def seconds(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / file.getframerate()


def test_a_whole_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(a_sound(0.5))
    assert wav.finish(path) == 0.5
    assert path.read_bytes() == a_sound(0.5)


def test_one_without_its_lengths_plays_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    data = bytearray(a_sound(0.5))
    data[4:8] = data[40:44] = bytes(4)
    path.write_bytes(data)
    assert wav.finish(path) == 0.5
    assert path.read_bytes() == a_sound(0.5)


def test_one_that_was_cut_off_plays_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(a_sound(0.5)[: HEAD + 1601])  # in the middle of a sample
    assert wav.finish(path) == 0.1
    assert seconds(path) == 0.1


def test_what_follows_the_sound_is_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    data = a_sound(0.5) + b"LIST" + struct.pack("<I", 4) + b"INFO"
    path.write_bytes(data)
    assert wav.finish(path) == 0.5
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3" * 50, a_sound()[:20], a_sound()[:12] + a_sound()[36:]])
def test_no_sound_file_is_told_and_left(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(wav.NotWav):
        wav.finish(path)
    assert path.read_bytes() == data
