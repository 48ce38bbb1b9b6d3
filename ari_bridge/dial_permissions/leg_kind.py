"""Why a leg is made. Pure."""

from enum import Enum


class LegKind(Enum):
    """The values are what the dialplan is given as ARI_BRIDGE_KIND."""

    CALL = "call"
    PARTY = "party"
    TRANSFER = "transfer"
    FORWARD = "forward"
