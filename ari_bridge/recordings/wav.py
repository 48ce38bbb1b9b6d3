"""The head of a WAV file: how long it sounds, and what to do when its writer died before it was complete.

Asterisk writes the lengths into the head when it closes the file. Where it was killed before, they say less than
there is, and players would stop at once. Source: RIFF WAVE, chunks `fmt ` and `data`.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

_CHUNK = struct.Struct("<4sI")
_FMT = struct.Struct("<HHIIHH")
_LENGTH = struct.Struct("<I")
_MOST = 0xFFFFFFFF


class NotWav(ValueError):
    """It is no WAV file, or not even its head is complete."""


def finish(path: Path) -> float:
    """Correct the lengths in the header. Returns its seconds. Raises NotWav (the file is unchanged), OSError."""
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        bytes_a_second, block, begin, told = _head(file)
        length = (size - begin) // block * block
        if told > length or told == 0 < length:
            file.seek(begin - _LENGTH.size)
            file.write(_LENGTH.pack(min(length, _MOST)))
            file.seek(_LENGTH.size)
            file.write(_LENGTH.pack(min(begin + length - _CHUNK.size, _MOST)))
            told = length
    return told / bytes_a_second


def _head(file: BinaryIO) -> tuple[int, int, int, int]:
    """Bytes a second, bytes a sample of all channels, where the sound begins, and how long it is told to be."""
    if file.read(4) != b"RIFF" or len(file.read(4)) != 4 or file.read(4) != b"WAVE":
        raise NotWav("it does not begin as a WAV file")
    bytes_a_second = block = 0
    while len(head := file.read(_CHUNK.size)) == _CHUNK.size:
        kind, length = _CHUNK.unpack(head)
        if kind == b"data":
            if not bytes_a_second or not block:
                break
            return bytes_a_second, block, file.tell(), length
        body = file.read(length + length % 2)
        if kind == b"fmt " and len(body) >= _FMT.size:
            _, _, _, bytes_a_second, block, _ = _FMT.unpack_from(body)
    raise NotWav("its head is not complete")
