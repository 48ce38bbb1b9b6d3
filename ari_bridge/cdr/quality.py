"""How calls have sounded, until their CDRs have it: MOS, loss and jitter.

Pages report theirs while a call goes on (`SDK: quality/mos.ts`), rtpengine its own at the end (`media/stats.py`).

Memory only, and bounded: a page tells all of its call every time, and rtpengine keeps its counts while we are away,
so that a process that is killed loses at most a page's report on a call that has ended.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ari_bridge.hooks import LegReleased, QualityReported

MAX_CALLS = 10_000
"""Whose figures are kept at once; the oldest go first."""
LATE_REPORT_S = 60.0
"""How long after a call's end a client may report its quality."""
MAX_LEGS = 8
"""Of one call: a page that reloads without end must not fill the row. The last ones are kept."""


@dataclass(slots=True)
class _Known:
    page: dict[str, Any] = field(default_factory=dict)
    legs: dict[int, dict[str, Any]] = field(default_factory=dict)
    ended_at: float | None = None  # on `now`'s clock


class QualityBuffer:
    """`now`: seconds of a clock that never jumps."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._known: dict[str, _Known] = {}  # by call id, oldest first

    def page(self, event: QualityReported) -> bool:
        """Take a page's report, in place of the one before. False: it came too late."""
        known = self._of(event.call_id)
        if known.ended_at is not None and self._now() - known.ended_at > LATE_REPORT_S:
            return False
        known.page = event.report
        return True

    def leg(self, event: LegReleased) -> None:
        known = self._of(event.call_id)
        known.legs[event.leg] = event.figures.data()
        while len(known.legs) > MAX_LEGS:
            del known.legs[min(known.legs)]

    def ended(self, call_id: str) -> None:
        known = self._of(call_id)
        if known.ended_at is None:
            known.ended_at = self._now()

    def of(self, call_id: str) -> dict[str, Any]:
        """The column `quality`: `page` from the page, `rtpengine` of the last leg, `legs` if there were more."""
        known = self._known.get(call_id)
        if known is None:
            return {}
        found: dict[str, Any] = {"page": known.page} if known.page else {}
        if known.legs:
            last = known.legs[max(known.legs)]
            found["rtpengine"] = {side: last[side] for side in ("browser", "asterisk") if side in last}
        if len(known.legs) > 1:
            found["legs"] = [{"leg": leg, **sides} for leg, sides in sorted(known.legs.items())]
        return found

    def codecs(self, call_id: str) -> str:
        """Of the last leg, the browser's first: `opus, PCMU`. "" if they are not known."""
        sides = self.of(call_id).get("rtpengine", {})
        return ", ".join(sides[side]["codec"] for side in ("browser", "asterisk") if sides.get(side, {}).get("codec"))

    def forget_old(self) -> None:
        """Calls that have ended long enough ago."""
        before = self._now() - LATE_REPORT_S
        for call_id in [one for one, known in self._known.items() if known.ended_at and known.ended_at < before]:
            del self._known[call_id]

    def _of(self, call_id: str) -> _Known:
        known = self._known.setdefault(call_id, _Known())
        if len(self._known) > MAX_CALLS:
            self.forget_old()
        while len(self._known) > MAX_CALLS:
            del self._known[next(iter(self._known))]
        return known
