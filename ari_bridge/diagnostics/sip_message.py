"""SIP messages as bytes and back (RFC 3261, section 7), as much as a client for diagnosis needs. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_MESSAGE_BYTES = 65_535
MAX_HEADERS = 256
_COMPACT = {"c": "content-type", "f": "from", "i": "call-id", "k": "supported", "l": "content-length"}
_COMPACT |= {"m": "contact", "s": "subject", "t": "to", "v": "via"}
_STATUS_LINE = re.compile(r"SIP/2\.0 +([1-6][0-9]{2})(?: +(.*))?")
_REQUEST_LINE = re.compile(r"([A-Z]{1,32}) +(\S+) +SIP/2\.0")
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s]+)", re.IGNORECASE)
_TAG = re.compile(r";\s*tag\s*=\s*([^;,\s>]+)", re.IGNORECASE)
_URI = re.compile(r"<([^<>\s]+)>|(sips?:[^\s;,<>]+)", re.IGNORECASE)


class BadMessage(ValueError):
    """What was received is no SIP message; the text says why."""


@dataclass(frozen=True, slots=True)
class Headers:
    """Names in lower case and long form, with their values, in the order of the message."""

    lines: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The first of them; "" if there is none."""
        return next((value for given, value in self.lines if given == name), "")

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.lines if given == name]


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    reason: str
    headers: Headers
    body: bytes = b""

    @property
    def final(self) -> bool:
        return self.status >= 200


Message = Request | Response


def parse(raw: bytes) -> Message:
    """One whole message. Raises BadMessage."""
    if len(raw) > MAX_MESSAGE_BYTES:
        raise BadMessage("it is too long")
    head, separator, body = raw.partition(b"\r\n\r\n")
    if not separator:
        raise BadMessage("its headers do not end")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    headers = _headers(lines)
    body = _body(headers, body)
    if status := _STATUS_LINE.fullmatch(first):
        return Response(int(status[1]), status[2] or "", headers, body)
    if request := _REQUEST_LINE.fullmatch(first):
        return Request(request[1], request[2], headers, body)
    raise BadMessage(f"it begins with {first[:60]!r}")


def _headers(lines: list[str]) -> Headers:
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += f" {line.strip()}"
        else:
            unfolded.append(line)
    if len(unfolded) > MAX_HEADERS:
        raise BadMessage("it has too many headers")
    found = []
    for line in unfolded:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BadMessage(f"{line[:60]!r} is no header")
        known = name.strip().lower()
        found.append((_COMPACT.get(known, known), value.strip()))
    return Headers(tuple(found))


def _body(headers: Headers, body: bytes) -> bytes:
    length = content_length(headers)
    if length is None:
        return body
    if length > len(body):
        raise BadMessage("it is cut off")
    return body[:length]


def content_length(headers: Headers) -> int | None:
    """None if it is not told. Raises BadMessage."""
    told = headers.get("content-length")
    if not told:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", told):
        raise BadMessage(f"Content-Length: {told[:20]}")
    return int(told)


def write(first_line: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """A message. `headers`: without Content-Length."""
    lines = [first_line, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def branch_of(message: Message) -> str:
    """The branch of the topmost Via; "" without one."""
    found = _BRANCH.search(message.headers.get("via"))
    return found[1] if found else ""


def tag_of(value: str) -> str:
    """The tag of a From or To; "" without one."""
    found = _TAG.search(value.rpartition(">")[2] if ">" in value else value)
    return found[1] if found else ""


def uri_of(value: str) -> str:
    """The URI of a Contact, From or To; "" without one."""
    found = _URI.search(value)
    return (found[1] or found[2]) if found else ""


class StreamReader:
    """Cuts messages out of a TCP stream. Keep-alives (RFC 5626: empty lines) are skipped."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now. Raises BadMessage: nothing after it can be read."""
        self._buffer += data
        found = []
        while (one := self._next()) is not None:
            found.append(one)
        return found

    def _next(self) -> bytes | None:
        self._buffer = self._buffer.lstrip(b"\r\n")
        head, separator, _ = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            if len(self._buffer) > MAX_MESSAGE_BYTES:
                raise BadMessage("its headers do not end")
            return None
        _, *lines = head.decode("utf-8", "replace").split("\r\n")
        end = len(head) + len(separator) + (content_length(_headers(lines)) or 0)
        if end > MAX_MESSAGE_BYTES:
            raise BadMessage("it is too long")
        if len(self._buffer) < end:
            return None
        one, self._buffer = self._buffer[:end], self._buffer[end:]
        return one
