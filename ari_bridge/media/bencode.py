"""Bencoding, which the NG protocol speaks. Strict: what is not exactly right is refused.

Dictionaries come back with str keys, strings as bytes.
"""

Value = int | bytes | str | list["Value"] | dict[str, "Value"]

DEPTH = 16  # rtpengine's answers nest 6 deep


class MalformedBencode(ValueError):
    """The text says what was wrong, and at which byte."""


def encode(value: Value) -> bytes:
    """Raises TypeError for what has no bencoding."""
    if isinstance(value, str):  # most are
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%b" % (len(value), value)
    if isinstance(value, dict):
        return b"d%be" % b"".join([encode(item) for pair in value.items() for item in pair])
    if isinstance(value, list):
        return b"l%be" % b"".join([encode(item) for item in value])
    if isinstance(value, int) and not isinstance(value, bool):
        return b"i%de" % value
    raise TypeError(f"bencode has no {type(value).__name__}")


def decode(data: bytes) -> Value:
    """The one value that `data` holds. Raises MalformedBencode."""
    value, end = _value(data, 0, DEPTH)
    if end != len(data):
        raise MalformedBencode(f"{len(data) - end} bytes too many at byte {end}")
    return value


def _value(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth == 0:
        raise MalformedBencode(f"nested too deep at byte {at}")
    kind = data[at : at + 1]
    if kind == b"i":
        return _integer(data, at + 1, b"e")
    if kind == b"l":
        return _list(data, at + 1, depth)
    if kind == b"d":
        return _dictionary(data, at + 1, depth)
    return _string(data, at)


def _integer(data: bytes, at: int, end: bytes) -> tuple[int, int]:
    stop = data.find(end, at, at + 22)
    digits = data[at:stop] if stop >= 0 else b""
    if not digits.removeprefix(b"-").isdigit():
        raise MalformedBencode(f"no number at byte {at}")
    return int(digits), stop + 1


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    length, start = _integer(data, at, b":")
    if length < 0 or start + length > len(data):
        raise MalformedBencode(f"a string at byte {at} has {length} bytes, but there are {len(data) - start}")
    return data[start : start + length], start + length


def _list(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    while data[at : at + 1] != b"e":
        item, at = _value(data, at, depth - 1)
        items.append(item)
    return items, at + 1


def _dictionary(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    items: dict[str, Value] = {}
    while data[at : at + 1] != b"e":
        key, at = _string(data, at)
        items[key.decode("utf-8", "replace")], at = _value(data, at, depth - 1)
    return items, at + 1
