"""Server-sent events out of bytes (WHATWG HTML, section 9.2.6). Pure."""

from dataclasses import dataclass

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Of one event: a stream that never ends a line is no event stream."""


class NoEventStream(ValueError):
    """The bytes are no event stream."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event. `id`: the last one that was set, also by an earlier event."""

    name: str
    data: str
    id: str


class SseParser:
    """
    Attributes:
        retry: Seconds to wait before the next connection; None if the server has not said.
    """

    def __init__(self) -> None:
        self.retry: float | None = None
        self._id = ""
        self._name = ""
        self._data: list[str] = []
        self._incomplete = b""

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take bytes as they come; returns the events that are complete now. Raises NoEventStream."""
        events: list[SseEvent] = []
        text = (self._incomplete + data).replace(b"\r\n", b"\n")
        half = b""
        if text.endswith(b"\r"):  # perhaps half of a line's end
            text, half = text[:-1], b"\r"
        *lines, self._incomplete = text.replace(b"\r", b"\n").split(b"\n")
        self._incomplete += half
        if len(self._incomplete) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise NoEventStream("an event is too long")
        for line in lines:
            if event := self._line(line.decode("utf-8", "replace")):
                events.append(event)
        return events

    def _line(self, line: str) -> SseEvent | None:
        if not line:
            name, data = self._name, self._data
            self._name, self._data = "", []
            return SseEvent(name or "message", "\n".join(data), self._id) if data else None
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "data":
                self._data.append(value)
            case "event":
                self._name = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry = int(value) / 1000
        return None
