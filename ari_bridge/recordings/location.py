"""Where recordings are stored, as an operator writes it: a folder, or s3://BUCKET/PREFIX."""

import re
from dataclasses import dataclass, field
from pathlib import Path

_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.*'()/-]*))?")


class InvalidLocation(ValueError):
    """Neither a folder nor an S3 bucket; the text says what is wrong."""


@dataclass(frozen=True)
class Bucket:
    """A folder in a bucket.

    Attributes:
        name: the bucket's.
        prefix: what every object's name starts with, without leading and trailing slashes; may be empty.
    """

    name: str
    prefix: str


@dataclass(frozen=True)
class StoreKeys:
    """How to reach an S3-compatible store.

    Attributes:
        endpoint: its URL; empty: Amazon's endpoint of the region.
        access_key: empty, like `secret_key`, to use the role of the machine.
    """

    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = field(default="", repr=False)


def parse_location(text: str) -> Bucket | Path | None:
    """None if nothing is set. Raises InvalidLocation."""
    if not text:
        return None
    if "://" not in text:
        return Path(text)
    match = _S3.fullmatch(text)
    if not match:
        raise InvalidLocation(f"{text!r} is neither a folder nor s3://BUCKET or s3://BUCKET/PREFIX")
    prefix = (match.group(2) or "").strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise InvalidLocation(f"the prefix {prefix!r} has an empty part, or . or ..")
    return Bucket(match.group(1), prefix)
