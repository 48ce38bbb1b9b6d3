"""Whose a recording is stands in its name; what is not ours is left alone."""

import msgspec
import pytest

from ari_bridge.recordings.recording import Recording, another_name, decode, encode, stem_of_name


@pytest.mark.parametrize(
    ("name", "call_id"),
    [
        ("abcd-rec1", "abcd"),
        ("1k3f.5_x-rec12", "1k3f.5_x"),
        (another_name("abcd-rec1", 2), "abcd"),
        ("abcd-rec0", None),
        ("abcd-rec", None),
        ("abcd", None),
        ("abc-rec1", None),
        ("a/../b-rec1", None),
        ("../../etc/abcd-rec1", None),
        ("abcd-rec1.wav", None),
        ("abcd-rec1\n", None),
        ("ab-cd-rec1", None),
        ("", None),
    ],
)
def test_the_call_of_a_name(name: str, call_id: str | None) -> None:
    assert stem_of_name(name) == call_id


def test_what_is_known_survives_being_written() -> None:
    recording = Recording("abcd-rec1", "abcd", None, "1001", "600", 1.5, 2.0, 32044, "00" * 32)
    assert decode(encode(recording)) == recording
    more = msgspec.json.encode({**msgspec.to_builtins(recording), "of_a_later_version": 1})
    assert decode(more) == recording
