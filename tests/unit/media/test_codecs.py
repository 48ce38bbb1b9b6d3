"""Which codec a leg is given, and when a node is spared."""

import pytest

from ari_bridge.media.codec_policy import Choice, Codec, CodecMode, CodecPolicy, CodecReason, choose, prefer_passthrough

BOTH = frozenset({Codec.OPUS, Codec.PCMU})


@pytest.mark.parametrize(
    ("codecs", "asked", "saving", "chosen"),
    [
        (CodecMode.OPUS, None, False, Choice(Codec.OPUS, CodecReason.SETTING)),
        (CodecMode.OPUS, None, True, Choice(Codec.OPUS, CodecReason.SETTING)),
        (CodecMode.PCMU, None, False, Choice(Codec.PCMU, CodecReason.SETTING)),
        (CodecMode.AUTO, None, False, Choice(Codec.OPUS, CodecReason.SETTING)),
        (CodecMode.AUTO, None, True, Choice(Codec.PCMU, CodecReason.LOAD)),
        (CodecMode.AUTO, Codec.OPUS, True, Choice(Codec.OPUS, CodecReason.REQUESTED)),
        (CodecMode.OPUS, Codec.PCMU, False, Choice(Codec.PCMU, CodecReason.REQUESTED)),
        (CodecMode.PCMU, Codec.OPUS, False, Choice(Codec.OPUS, CodecReason.REQUESTED)),
    ],
)
def test_the_call_goes_before_the_load_and_the_load_before_the_setting(
    codecs: CodecMode, asked: Codec | None, saving: bool, chosen: Choice
) -> None:
    assert choose(CodecPolicy(codecs), asked, BOTH, saving=saving) == chosen


@pytest.mark.parametrize("only", Codec)
@pytest.mark.parametrize("asked", [None, *Codec])
def test_a_browser_is_never_given_what_it_does_not_offer(only: Codec, asked: Codec | None) -> None:
    for codecs in CodecMode:
        assert choose(CodecPolicy(codecs), asked, frozenset({only}), saving=True) == Choice(only, CodecReason.OFFERED)


def test_a_node_is_spared_from_the_limit_on_until_it_is_well_below() -> None:
    saving = False
    told = []
    for transcoded in (9, 10, 9, 8, 9, 10, 8, 7):
        saving = prefer_passthrough(saving, transcoded, 10)
        told.append(saving)
    assert told == [False, True, True, False, False, True, False, False]


def test_a_limit_of_0_spares_always() -> None:
    assert prefer_passthrough(False, 0, 0)
