"""Which codec the browser's leg has: Opus, which rtpengine turns into PCMU, or PCMU, which passes untouched.

Opus takes less of the network, bears losses better, and costs a transcoding; PCMU costs a fifth of the CPU and, on a
PBX that speaks PCMU, sounds the same on a good network. Pure.
"""

from dataclasses import dataclass
from enum import Enum


class Codec(Enum):
    """The values are SDP's names in lower case, and what clients write as `prefer`."""

    OPUS = "opus"
    PCMU = "pcmu"


class CodecMode(Enum):
    """What the setting `CODECS` may be."""

    OPUS = "opus"
    PCMU = "pcmu"
    AUTO = "auto"  # Opus, until a node transcodes as much as it should


class CodecReason(Enum):
    """What decided. The values are labels of a metric."""

    OFFERED = "offered"  # the browser offers no other
    REQUESTED = "requested"  # by the client, for this call
    SETTING = "setting"
    LOAD = "load"  # the node transcodes much


@dataclass(frozen=True)
class OpusOptions:
    """What the browser's Opus encoder is asked for (RFC 7587 section 6.1).

    Attributes:
        fec: forward error correction: a coarse copy of each frame in the next packet; browsers send it while receivers
            report losses.
        dtx: discontinuous transmission: hardly any packets during silence.
    """

    fec: bool = True
    dtx: bool = False


PLAIN_OPUS = OpusOptions()


@dataclass(frozen=True)
class CodecPolicy:
    """The settings on codecs.

    Attributes:
        codecs: the codec, or `AUTO`.
        opus: options of Opus.
        limit: transcoded sessions for each unit of a node's weight, above which `AUTO` passes PCMU.
    """

    codecs: CodecMode = CodecMode.OPUS
    opus: OpusOptions = PLAIN_OPUS
    limit: int = 40


OPUS_ALWAYS = CodecPolicy()


@dataclass(frozen=True)
class Choice:
    codec: Codec
    why: CodecReason


HYSTERESIS = 0.8
"""Passthrough ends below this share of the limit: at the limit itself, each ended call would change the next codec."""


def prefer_passthrough(before: bool, transcoded: int, limit: float) -> bool:
    """Whether new calls should pass PCMU on a node with so many transcoded sessions. `before`: whether they do now."""
    return transcoded >= limit if not before else transcoded > HYSTERESIS * limit


class Transcoding:
    """What one node transcodes. `others`: sessions by its own count that are not ours, or are from before our start."""

    def __init__(self) -> None:
        self.others = 0
        self._legs: set[str] = set()
        self._saving = False

    @property
    def count(self) -> int:
        return len(self._legs) + self.others

    def begin(self, leg: str, codec: Codec) -> None:
        """The leg is offered, possibly again with another codec."""
        self.end(leg)
        if codec is Codec.OPUS:
            self._legs.add(leg)

    def end(self, leg: str) -> None:
        self._legs.discard(leg)

    def counted(self, count: int) -> None:
        """By the node itself."""
        self.others = max(0, count - len(self._legs))

    def codec(self, leg: str) -> Codec:
        """What a leg of ours was offered with."""
        return Codec.OPUS if leg in self._legs else Codec.PCMU

    def prefer_passthrough(self, limit: float) -> bool:
        """Whether the next session had better not be transcoded."""
        self._saving = prefer_passthrough(self._saving, self.count, limit)
        return self._saving


def choose(policy: CodecPolicy, asked: Codec | None, offered: frozenset[Codec], *, saving: bool) -> Choice:
    """The codec for one leg.

    Args:
        policy: the settings.
        asked: what was requested for this call, which takes precedence over the setting and the load; None: nothing.
        offered: what the browser can do; empty counts as Opus, as the offer was checked before.
        saving: `Transcoding.prefer_passthrough` of the node.
    """
    if len(offered) == 1:
        return Choice(next(iter(offered)), CodecReason.OFFERED)
    if asked is not None:
        return Choice(asked, CodecReason.REQUESTED)
    if policy.codecs is CodecMode.AUTO:
        return Choice(Codec.PCMU, CodecReason.LOAD) if saving else Choice(Codec.OPUS, CodecReason.SETTING)
    return Choice(Codec(policy.codecs.value), CodecReason.SETTING)
