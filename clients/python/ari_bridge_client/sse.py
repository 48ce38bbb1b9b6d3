"""Server-sent events out of bytes (WHATWG HTML, section 9.2.6). Pure."""

from dataclasses import dataclass

MOST_BYTES = 4 * 1024 * 1024
"""Of one event: a stream that never ends a line is none."""


class NoEventStream(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Block:
    """One event. `id`: the last that was set, also by an event before."""

    name: str
    data: str
    id: str


class Parser:
    """`feed` takes bytes as they come. `retry`: seconds to wait before the next connection; None: not told."""

    def __init__(self) -> None:
        self.retry: float | None = None
        self._id = ""
        self._name = ""
        self._data: list[str] = []
        self._rest = b""

    def feed(self, data: bytes) -> list[Block]:
        """The events that are complete now. Raises NoEventStream."""
        blocks: list[Block] = []
        text = (self._rest + data).replace(b"\r\n", b"\n")
        held = b""
        if text.endswith(b"\r"):  # perhaps half of a line's end
            text, held = text[:-1], b"\r"
        *lines, self._rest = text.replace(b"\r", b"\n").split(b"\n")
        self._rest += held
        if len(self._rest) + sum(map(len, self._data)) > MOST_BYTES:
            raise NoEventStream("an event is too long")
        for line in lines:
            if block := self._line(line.decode("utf-8", "replace")):
                blocks.append(block)
        return blocks

    def _line(self, line: str) -> Block | None:
        if not line:
            name, data = self._name, self._data
            self._name, self._data = "", []
            return Block(name or "message", "\n".join(data), self._id) if data else None
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
