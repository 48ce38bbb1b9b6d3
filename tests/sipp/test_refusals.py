"""Every final SIP response of a trunk, over real Asterisk: what our user is told, and of whom."""

import asyncio

import pytest

from ari_bridge.fsm.call import Call
from ari_bridge.outcomes import Cause, Detail, Outcome
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.offer_only_call import OfferOnlyCall
from tests.real.parts import both_versions
from tests.real.refusing import refusing_phones
from tests.unit.fsm.test_causes import BY_SIP

pytestmark = pytest.mark.real

REGISTERED = [
    *(300, 301, 302, 305, 380),
    *(
        400,
        401,
        402,
        403,
        404,
        405,
        406,
        407,
        408,
        410,
        413,
        414,
        415,
        416,
        420,
        421,
        423,
        433,
        436,
        480,
        481,
        482,
        483,
    ),
    *(
        484,
        485,
        486,
        487,
        488,
        489,
        491,
        493,
        494,
        500,
        501,
        502,
        503,
        504,
        505,
        513,
        580,
        600,
        603,
        604,
        606,
        607,
        608,
    ),
]
"""Of IANA's list those that may answer an INVITE."""


async def call_each(site: LiveSystem, statuses: list[int]) -> dict[int, Call]:
    """How each call ended. Some at a time: they are to find their media set up when they are refused."""
    places, ended = asyncio.Semaphore(4), {}

    async def call(status: int) -> None:
        async with places:
            ended[status] = await OfferOnlyCall(site.app.calls, f"7{status}").ended()

    async with asyncio.TaskGroup() as calls:
        for status in statuses:
            calls.create_task(call(status))
    return ended


def cause_of(call: Call) -> Cause:
    assert call.cause
    return call.cause


@both_versions
async def test_by_its_own_trunk_every_status_is_told_for_what_it_is(site: LiveSystem) -> None:
    async with refusing_phones(site.pbx.trunk_port):
        ended = await call_each(site, REGISTERED)
    moved = {status for status in ended if status < 400}
    for status in moved:
        assert ended[status].outcome is Outcome.UNREACHABLE
        assert (cause_of(ended[status]).detail, cause_of(ended[status]).forward) == (Detail.MOVED, "7999"), status
    refused = ended.keys() - moved
    known = {status for status in refused if cause_of(ended[status]).sip == status}
    told = {status: (call.outcome, cause_of(call).detail) for status, call in ended.items() if status in known}
    assert told.items() >= {status: (outcome, detail) for status, outcome, detail in BY_SIP if status in known}.items()
    if site.app.ari.version.startswith("16."):  # asked for on the media channel, which may have come too late
        assert len(known) > 0.7 * len(refused)
        for status in refused - known:
            assert (ended[status].outcome, cause_of(ended[status]).detail) != (Outcome.REJECTED, None), status
    else:
        assert known == refused


@both_versions
async def test_through_the_dialplan_nothing_is_said_of_who_has_not_heard_of_it(site_with: LiveSystemWith) -> None:
    async with site_with(dial_routes="") as site, refusing_phones(site.pbx.trunk_port):
        ended = await call_each(site, [302, 401, 403, 404, 407, 480, 486, 488, 503, 603])
    told = {status: (call.outcome, cause_of(call).detail) for status, call in ended.items()}
    refused = (Outcome.REJECTED, Detail.REFUSED)  # which of the four it was, the dialplan does not hand on
    assert told == {
        302: (Outcome.UNREACHABLE, Detail.NO_SUCH_NUMBER),  # the dialplan has followed it, to a number that it has not
        401: refused,
        403: refused,
        404: (Outcome.UNREACHABLE, Detail.NO_SUCH_NUMBER),
        407: refused,
        480: (Outcome.NO_ANSWER, Detail.OFFLINE),
        486: (Outcome.BUSY, None),
        488: (Outcome.FAILED_MEDIA, Detail.INCOMPATIBLE_MEDIA),
        503: (Outcome.UNREACHABLE, Detail.CONGESTION),
        603: refused,
    }


async def test_a_cause_of_the_far_side_s_own_is_told_with_its_status(site: LiveSystem) -> None:
    async with refusing_phones(site.pbx.trunk_port, headers='Reason: Q.850;cause=1;text="none such"'):
        call = (await call_each(site, [503]))[503]
    assert (call.outcome, cause_of(call).sip) == (Outcome.UNREACHABLE, 503)
