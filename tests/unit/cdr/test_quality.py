"""What is kept of how calls sound, and for how long."""

from ari_bridge.cdr.quality import LATE_REPORT_S, MAX_LEGS, QualityBuffer
from ari_bridge.hooks import LegReleased, QualityReported
from ari_bridge.leg_stats import LegStats, StreamStats

SIDES = LegStats(StreamStats(10, 100, "opus"), StreamStats(9, 90, "PCMU"))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_last_report_and_the_last_leg_count() -> None:
    kept = QualityBuffer(Clock())
    for mos in (4.0, 4.2):
        kept.page(QualityReported("a", {"mos": mos}))
    kept.leg(LegReleased("a", 1, SIDES))
    assert kept.of("a") == {"page": {"mos": 4.2}, "rtpengine": SIDES.data()}
    assert kept.codecs("a") == "opus, PCMU"
    assert (kept.of("b"), kept.codecs("b")) == ({}, "")


def test_so_many_legs_are_kept_and_no_more() -> None:
    kept = QualityBuffer(Clock())
    for leg in range(1, MAX_LEGS + 3):
        kept.leg(LegReleased("a", leg, SIDES))
    assert [one["leg"] for one in kept.of("a")["legs"]] == list(range(3, MAX_LEGS + 3))


def test_a_report_comes_too_late_a_minute_after_the_end() -> None:
    clock = Clock()
    kept = QualityBuffer(clock)
    kept.page(QualityReported("a", {"mos": 4.0}))
    kept.ended("a")
    clock.now += LATE_REPORT_S - 1
    assert kept.page(QualityReported("a", {"mos": 3.0}))
    clock.now += 2
    assert not kept.page(QualityReported("a", {"mos": 2.0}))
    kept.forget_old()
    assert kept.of("a") == {}
