"""The header of a WAV file: its duration, and its repair if the writer died before the file was complete.

Asterisk writes the lengths into the header when it closes the file. If it was killed before, they are shorter than
the data, and players would stop early. Source: RIFF WAVE, chunks `fmt ` and `data`.
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
    """It is not a WAV file, or its header is incomplete."""


def finish(path: Path) -> float:
    """Correct the lengths in the header; return the seconds. Raises NotWav (the file is unchanged), OSError."""
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        bytes_a_second, block, begin, stated = _head(file)
        length = (size - begin) // block * block
        if stated > length or stated == 0 < length:
            file.seek(begin - _LENGTH.size)
            file.write(_LENGTH.pack(min(length, _MOST)))
            file.seek(_LENGTH.size)
            file.write(_LENGTH.pack(min(begin + length - _CHUNK.size, _MOST)))
            stated = length
    return stated / bytes_a_second


def _head(file: BinaryIO) -> tuple[int, int, int, int]:
    """Bytes per second, bytes per frame, the offset of the data, and its length according to the header."""
    if file.read(4) != b"RIFF" or len(file.read(4)) != 4 or file.read(4) != b"WAVE":
        raise NotWav("it does not start like a WAV file")
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
    raise NotWav("its header is incomplete")
