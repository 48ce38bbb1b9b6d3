"""The words that ARI before 18 has for hang-up causes: the closest to a Q.850 cause. Pure.

Source: `ast_ari_channels_hangup` of Asterisk 16; chan_pjsip makes the SIP response of the cause (`hangup_cause2sip`).
"""

_WORDS = {
    1: "unallocated",  # 404
    2: "unallocated",
    3: "unallocated",
    16: "normal",
    17: "busy",  # 486
    18: "no_answer",  # 480
    19: "no_answer",
    20: "no_answer",
    21: "rejected",  # 403
    22: "unallocated",
    26: "answered_elsewhere",
    27: "congestion",  # 503
    28: "number_incomplete",  # 484
    31: "normal_unspecified",  # 480
    38: "failure",  # 500
    50: "rejected",
    52: "rejected",
    53: "rejected",
    54: "rejected",
    55: "rejected",
    57: "rejected",
    58: "codec_mismatch",  # 488
    65: "codec_mismatch",
    66: "codec_mismatch",
    87: "rejected",
    88: "codec_mismatch",
    102: "timeout",
    127: "interworking",  # 500
}
_OTHERWISE = "congestion"


def hangup_reason(q850: int) -> str:
    return _WORDS.get(q850, _OTHERWISE)
