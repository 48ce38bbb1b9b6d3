"""Bencoding goes there and back, and nonsense is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.media import bencode
from ari_bridge.media.bencode import MalformedBencode, Value

values: st.SearchStrategy[Value] = st.recursive(
    st.integers(-(10**18), 10**18) | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_there_and_back(value: Value) -> None:
    assert bencode.decode(bencode.encode(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        bencode.decode(data)
    except MalformedBencode:
        pass


@pytest.mark.parametrize(
    "data", [b"", b"i1", b"ie", b"i--1e", b"5:abc", b"-1:a", b"l1:a", b"d1:a", b"d1:a1:be junk", b"l" * 10_000, b"x"]
)
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedBencode):
        bencode.decode(data)


def test_an_ng_message() -> None:
    message: Value = {"command": "offer", "flags": ["trust-address"], "delete-delay": 0}
    encoded = b"d7:command5:offer5:flagsl13:trust-addresse12:delete-delayi0ee"
    assert bencode.encode(message) == encoded
    assert bencode.decode(encoded) == {"command": b"offer", "flags": [b"trust-address"], "delete-delay": 0}


def test_what_has_no_bencoding_is_refused() -> None:
    for value in (None, 1.5, True):
        with pytest.raises(TypeError):
            bencode.encode(value)  # type: ignore[arg-type]
