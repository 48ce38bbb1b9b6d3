"""What each SIP status and each Q.850 cause is told as, and never of somebody who has not heard of the call."""

import pytest

from ari_bridge.outcomes import Cause, Detail, Outcome, far_ended, pbx_at_fault

U, F = Outcome.UNREACHABLE, Outcome.FORBIDDEN


def ended(q850: int = 127, *, sip: int = 0, rang: bool = False, forward: str = "") -> tuple[Outcome, Detail | None]:
    outcome, cause = far_ended(q850, "", "", sip=sip, forward=forward, rang=rang, answered=False)
    return outcome, cause.detail


BY_SIP = [
    (302, U, Detail.MOVED),
    (400, U, Detail.NOT_CONNECTED),
    (401, F, Detail.LINE_SIGN_IN),
    (403, F, Detail.LINE_FORBIDS),
    (404, U, Detail.NO_SUCH_NUMBER),
    (407, F, Detail.LINE_SIGN_IN),
    (408, Outcome.NO_ANSWER, Detail.NOT_RESPONDING),
    (410, U, Detail.NUMBER_CHANGED),
    (480, Outcome.NO_ANSWER, Detail.OFFLINE),
    (484, U, Detail.INCOMPLETE_NUMBER),
    (486, Outcome.BUSY, None),
    (488, Outcome.FAILED_MEDIA, Detail.INCOMPATIBLE_MEDIA),
    (500, U, Detail.CONGESTION),
    (501, U, Detail.NOT_CONNECTED),
    (503, U, Detail.CONGESTION),
    (600, Outcome.BUSY, None),
    (603, Outcome.REJECTED, None),
    (604, U, Detail.NO_SUCH_NUMBER),
    (606, Outcome.FAILED_MEDIA, Detail.INCOMPATIBLE_MEDIA),
    (607, Outcome.REJECTED, None),
    (608, Outcome.REJECTED, Detail.REFUSED),
    (699, U, Detail.NOT_CONNECTED),
]


@pytest.mark.parametrize(("sip", "outcome", "detail"), BY_SIP)
def test_a_sip_status_counts_more_than_the_cause_that_asterisk_makes_of_it(
    sip: int, outcome: Outcome, detail: Detail | None
) -> None:
    assert ended(21, sip=sip) == (outcome, detail)


@pytest.mark.parametrize("sip", range(300, 700))
@pytest.mark.parametrize("rang", [True, False])
def test_every_status_has_an_outcome_and_nobody_is_said_to_have_cancelled(sip: int, rang: bool) -> None:
    outcome, cause = far_ended(127, "", "", sip=sip, rang=rang, answered=False)
    assert outcome not in (Outcome.CANCELLED, Outcome.COMPLETED, Outcome.FAILED_PBX)
    assert cause.sip == sip


PEOPLE = {Outcome.NO_ANSWER, Outcome.REJECTED}
"""Said of somebody at the other end."""


@pytest.mark.parametrize("q850", range(128))
def test_without_a_sip_status_nothing_is_said_of_somebody_where_it_did_not_ring(q850: int) -> None:
    outcome, detail = ended(q850)
    assert outcome is not Outcome.CANCELLED
    assert outcome not in PEOPLE or detail is not None


def test_who_has_rung_may_have_declined_or_not_answered() -> None:
    assert ended(21, rang=True) == (Outcome.REJECTED, None)
    assert ended(21) == (Outcome.REJECTED, Detail.REFUSED)
    assert ended(19, rang=True) == (Outcome.NO_ANSWER, None)
    assert ended(16, rang=True) == (Outcome.NO_ANSWER, None)
    assert ended(16) == (U, Detail.NO_SUCH_NUMBER)


def test_a_number_that_the_far_side_names_in_its_place_is_told() -> None:
    outcome, cause = far_ended(127, "", "CANCEL", forward="7999", rang=False, answered=False)
    assert (outcome, cause) == (U, Cause(127, "", 302, Detail.MOVED, "7999"))


@pytest.mark.parametrize("dial_status", ["CANCEL", "CHANUNAVAIL", "CONGESTION", "NOANSWER", "INVALIDARGS"])
def test_a_dial_status_is_no_cancelling_by_our_user(dial_status: str) -> None:
    outcome, cause = far_ended(0, "", dial_status, rang=False, answered=False)
    assert outcome is not Outcome.CANCELLED and cause.detail is not None


def test_after_an_answer_every_end_is_one() -> None:
    assert far_ended(21, "", "", sip=603, rang=True, answered=True)[0] is Outcome.COMPLETED


@pytest.mark.parametrize(
    ("status", "fault"), [(401, True), (403, True), (500, True), (503, True), (404, False), (409, False)]
)
def test_which_refusals_are_the_pbx_s_fault(status: int, fault: bool) -> None:
    assert pbx_at_fault(status) is fault
