"""Where recordings are kept, as an operator writes it: a folder, or s3://BUCKET/PREFIX."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from ari_bridge.recordings.disk_store import DiskStore
from ari_bridge.recordings.protocol import RecordingStore

_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.*'()/-]*))?")
FOLDER = "recordings"
"""In the state directory, where nothing else is set."""


class InvalidPlace(ValueError):
    """It is neither a folder nor an S3 bucket; the text says what is wrong."""


@dataclass(frozen=True)
class Bucket:
    """`prefix`: what every object's name begins with, without slashes at its ends; may be empty."""

    name: str
    prefix: str


@dataclass(frozen=True)
class StoreKeys:
    """How an S3-compatible store is reached.

    `endpoint`: its URL; "": Amazon's of the region. `access_key`, `secret_key`: both empty where the machine itself has
    a role that may.
    """

    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = field(default="", repr=False)


def parse_place(text: str) -> Bucket | Path | None:
    """None: nothing is set. Raises InvalidPlace."""
    if not text:
        return None
    if "://" not in text:
        return Path(text)
    match = _S3.fullmatch(text)
    if not match:
        raise InvalidPlace(f"{text!r} is neither a folder nor s3://BUCKET or s3://BUCKET/PREFIX")
    prefix = (match.group(2) or "").strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise InvalidPlace(f"the prefix {prefix!r} has an empty part, or . or ..")
    return Bucket(match.group(1), prefix)


def open_store(text: str, state_dir: Path, keys: StoreKeys) -> RecordingStore:
    """The store at that place; nothing is asked of it yet. Raises InvalidPlace."""
    place = parse_place(text)
    if not isinstance(place, Bucket):
        return DiskStore(place or state_dir / FOLDER)
    from ari_bridge.recordings.s3_store import S3Store  # its library takes a while to load, and most need none

    return S3Store(place, keys)
