"""Which way a call goes, as seen from the browser's side."""

from enum import Enum


class Direction(Enum):
    OUTBOUND = "outbound"  # a browser calls a number
    INBOUND = "inbound"  # a caller on the PBX rings browsers

    __hash__ = object.__hash__
    """By identity. Enum hashes the name, in Python, and the server looks into sets of these all the time."""
