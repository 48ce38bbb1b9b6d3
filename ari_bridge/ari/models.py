"""ARI's resources, as far as calls need them. Unknown fields are ignored."""

import msgspec


class Party(msgspec.Struct, frozen=True):
    """ARI `CallerID`. Both may be empty."""

    name: str = ""
    number: str = ""


class Channel(msgspec.Struct, frozen=True):
    """ARI `Channel`. `state`: Down, Reserved, OffHook, Dialing, Ring, Ringing, Up, Busy, ..."""

    id: str
    name: str = ""
    state: str = ""
    caller: Party = Party()
    connected: Party = Party()
    creationtime: str = ""


class Bridge(msgspec.Struct, frozen=True):
    """ARI `Bridge`. `channels`: ids."""

    id: str
    technology: str = ""
    bridge_type: str = ""
    name: str = ""
    channels: list[str] = []


class LiveRecording(msgspec.Struct, frozen=True):
    """ARI `LiveRecording`. `state`: queued, recording, paused, done, failed, canceled. `cause`: why it failed."""

    name: str
    state: str = ""
    cause: str = ""


class StoredRecording(msgspec.Struct, frozen=True):
    """ARI `StoredRecording`: a file in Asterisk's spool. `format`: wav, ..."""

    name: str
    format: str = ""


class AsteriskInfo(msgspec.Struct, frozen=True):
    """What of ARI `AsteriskInfo` health and doctor show. `version`: e.g. 16.28.0~dfsg-0+deb11u4."""

    version: str
    startup_time: str = ""


class Variable(msgspec.Struct, frozen=True):
    """ARI `Variable`: the value of a channel variable or function."""

    value: str = ""
