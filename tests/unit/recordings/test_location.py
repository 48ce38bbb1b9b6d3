"""Where recordings are kept, as an operator writes it."""

from pathlib import Path

import pytest

from ari_bridge.recordings import InvalidLocation, StoreKeys, open_store, parse_location
from ari_bridge.recordings.location import Bucket


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", None),
        ("calls", Path("calls")),
        ("/var/calls", Path("/var/calls")),
        ("s3://my-bucket", Bucket("my-bucket", "")),
        ("s3://my-bucket/", Bucket("my-bucket", "")),
        ("s3://my.bucket/a/b/", Bucket("my.bucket", "a/b")),
    ],
)
def test_a_place(text: str, place: object) -> None:
    assert parse_location(text) == place


@pytest.mark.parametrize("text", ["s3://", "s3://A", "s3://b/..", "s3://bucket/a//b", "gs://bucket", "s3://bucket/a?b"])
def test_no_place(text: str) -> None:
    with pytest.raises(InvalidLocation):
        parse_location(text)


def test_where_nothing_is_set_it_is_the_state_directory(tmp_path: Path) -> None:
    assert open_store("", tmp_path, StoreKeys()).where == str(tmp_path / "recordings")


def test_the_secret_is_never_shown() -> None:
    assert "hunter2" not in repr(StoreKeys(access_key="id", secret_key="hunter2"))
