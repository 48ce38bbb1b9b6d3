"""Server-sent events are the same however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge_client.sse import MAX_EVENT_BYTES, NoEventStream, SseEvent, SseParser

STREAM = (
    "retry: 1500\n\nid: 1\nevent: call.started\ndata: {}\n\n: still here\n\n"
    "id: 2\r\nevent: ari\r\ndata: a\r\ndata: ü\r\n\r\ndata: x\r\rid: 9\n\nevent: nothing\n\ndata: last\n\ndata: cut"
)
EVENTS = [
    SseEvent("call.started", "{}", "1"),
    SseEvent("ari", "a\nü", "2"),
    SseEvent("message", "x", "2"),
    SseEvent("message", "last", "9"),
]


@given(cuts=st.lists(st.integers(0, len(STREAM.encode())), max_size=20))
def test_any_cut(cuts: list[int]) -> None:
    data, parser = STREAM.encode(), SseParser()
    places = [0, *sorted(cuts), len(data)]
    found = [block for a, b in zip(places, places[1:], strict=False) for block in parser.feed(data[a:b])]
    assert found == EVENTS
    assert parser.retry == 1.5


def test_what_never_ends_a_line_is_no_stream() -> None:
    parser = SseParser()
    with pytest.raises(NoEventStream):
        for _ in range(5):
            parser.feed(b"x" * (MAX_EVENT_BYTES // 4))
