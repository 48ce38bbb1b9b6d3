"""Call ids as clients choose them, and the names that Asterisk, rtpengine and the file system get instead."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.fsm.rules.recording import recording_name
from ari_bridge.ids import (
    Kind,
    is_call_id,
    is_digest,
    leg_id,
    leg_number,
    parse_resource_id,
    party_id,
    party_number,
    resource_id,
    stem_of,
)
from ari_bridge.recordings.recording import stem_of_name
from ari_bridge_protocol.call_ids import new_call_id

CHOSEN = [
    "call-1790000000000",
    "3f2b9c1e-8d4a-4c57-9a10-5b7e6f1d2c3a",
    "1",
    "call-far",
    "a-em2",
    "../../etc/passwd",
    "what? #1 & 100% {it}",
    "заказ №7",
    "注文",
    "📞",
    " ",
    "x" * 128,
    "📞" * 128,
    stem_of("call-1"),  # somebody who knows how the names are made
]
SAFE = re.compile(r"[A-Za-z0-9_.-]{6,100}")


@pytest.mark.parametrize("call_id", [new_call_id(), "my.call", "A_1.b", "x" * 64])
def test_a_plain_id_is_its_own_stem(call_id: str) -> None:
    assert stem_of(call_id) == call_id and not is_digest(call_id)
    assert resource_id(call_id, Kind.FAR) == f"{call_id}-far"


@pytest.mark.parametrize("call_id", CHOSEN)
def test_any_other_id_is_taken_and_named_by_a_digest(call_id: str) -> None:
    stem = stem_of(call_id)
    assert is_call_id(call_id) and is_digest(stem)
    assert parse_resource_id(leg_id(call_id, 12)) == (stem, Kind.EXTERNAL_MEDIA)
    assert parse_resource_id(party_id(call_id, 3)) == (stem, Kind.FAR)
    assert (leg_number(leg_id(call_id, 12)), party_number(party_id(call_id, 3))) == (12, 3)
    assert stem_of_name(recording_name(call_id, 2)) == stem


@pytest.mark.parametrize("call_id", ["", "x" * 129, "a\nb", "\0", "\x7f", "a\u202eb", "\u200b", "\ud800", "\ue000"])
def test_what_cannot_be_printed_or_is_too_long_is_none(call_id: str) -> None:
    assert not is_call_id(call_id)


def test_no_chosen_id_has_the_stem_of_another() -> None:
    ids = [*CHOSEN, "mine1", "Mine1", "call 1", "call-1", "x-", "x"]
    assert len({stem_of(call_id) for call_id in ids}) == len(ids)


@given(st.text(min_size=1, max_size=128).filter(str.isprintable))
def test_a_name_is_safe_in_a_url_and_as_a_file_and_is_read_back(call_id: str) -> None:
    for name in (resource_id(call_id, Kind.BRIDGE), leg_id(call_id, 999), recording_name(call_id, 100)):
        assert SAFE.fullmatch(name) and len(name) < 149, "Asterisk cuts a longer channel id"
    assert parse_resource_id(resource_id(call_id, Kind.BRIDGE)) == (stem_of(call_id), Kind.BRIDGE)
    assert (
        stem_of(call_id) == call_id
        or set(call_id) - set(string.ascii_letters + string.digits + "._")
        or not (4 <= len(call_id) <= 64)
    )
