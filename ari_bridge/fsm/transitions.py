"""The transition table: everything that changes a call is decided here, and nowhere else.

Theory of operation
-------------------
* `TABLE` has a rule for every event in every state; `step` looks it up. A rule is a pure function of (call, event) to
  (new call, actions): no clock, no I/O, no randomness, no logging. An event that must not happen raises, and changes
  nothing.
* A cell that decides nothing says why: `refuse` (a user's request that the state does not allow: WrongState), `ignore`
  (an observation that is too late to matter), `illegal` (a bug of ours: IllegalEvent).
* A rule ends a call by `decisions.end`: ENDING, until every resource that was allocated is released, then ENDED. A
  resource is allocated from the moment that it is requested, and released exactly once, after its creation has come back.
* What the diagram in docs/design.md (drawn from this table by `make diagram`) does not show: within a state, a call also
  has set-up milestones (`setup_plan`), media legs, of which a new one can replace an earlier one (`rules/media.py`),
  parties with states of their own (`rules/parties.py`), and recordings (`rules/recording.py`). Events of an earlier leg
  are distinguished by their `target`.
* Time is an event as well: timers are actions, their expiry is `TimerFired`, and the deadlines of those that outlive the
  process are part of the call (`deadlines`).
* The table does not decide what becomes of a call after a restart (`recovery`), nor who rings (`engine.inbound_policy`).

`rules/` has the rules by subject, `decisions.py` what they have in common.
"""

from ari_bridge.fsm import deadlines, events
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.decisions import Decision, Rule
from ari_bridge.fsm.events import Event
from ari_bridge.fsm.rules import parties, recording
from ari_bridge.fsm.rules.channels import (
    channel_destroyed,
    channel_destroyed_late,
    far_answers,
    far_digit,
    far_fails,
    far_hangs_up,
    far_holds,
    pbx_lost,
    stasis_ended,
    stasis_started,
)
from ari_bridge.fsm.rules.connected import connected_line_changed
from ari_bridge.fsm.rules.media import media_checked, media_lost, owner_back, owner_lost, renew
from ari_bridge.fsm.rules.near import near_holds
from ari_bridge.fsm.rules.phones import phone_answers
from ari_bridge.fsm.rules.progress import early_media, far_progresses, far_rings
from ari_bridge.fsm.rules.refusals import ignore, illegal, refuse
from ari_bridge.fsm.rules.releases import release_failed, released, released_in_call
from ari_bridge.fsm.rules.requests import accept, decline, hang_up, place, send_digits
from ari_bridge.fsm.rules.ringing import arrive, nobody_rings, pages_rang, pages_rang_late
from ari_bridge.fsm.rules.steps import accepting_step_done, step_done, step_done_late, step_failed, step_failed_late
from ari_bridge.fsm.rules.timers import timer
from ari_bridge.fsm.timing import Timing

__all__ = ["TABLE", "Rule", "step"]


def step(call: Call, event: Event, timing: Timing | None = None) -> Decision:
    """The call after the event, and the actions that begin now.

    `timing`: the clock and durations for its deadlines; None: these stay as they are.
    Raises WrongState if a user requested what the state does not allow, IllegalEvent if the event cannot happen in the
    state (a bug of ours).
    """
    after, decided = TABLE[type(event)][_COLUMN[call.state]].apply(call, event)
    return (deadlines.update(after, decided, event, timing) if timing else after), decided


_COLUMN = {state: column for column, state in enumerate(CallState)}

# fmt: off
# ruff: noqa: E501
TABLE: dict[type[Event], tuple[Rule, ...]] = {
    #                              TRYING                  RINGING                 EARLY                   ACCEPTING               UP                      ENDING                  ENDED
    events.Placed:               (place,                  illegal,                illegal,                illegal,                illegal,                illegal,                illegal),
    events.Accepted:             (refuse,                 accept,                 refuse,                 refuse,                 refuse,                 refuse,                 refuse),
    events.Reoffered:            (renew,                  renew,                  renew,                  renew,                  renew,                  refuse,                 refuse),
    events.Declined:             (refuse,                 decline,                refuse,                 ignore,                 ignore,                 ignore,                 ignore),
    events.HungUp:               (hang_up,                hang_up,                hang_up,                hang_up,                hang_up,                ignore,                 ignore),
    events.DigitsPressed:        (refuse,                 send_digits,            send_digits,            refuse,                 send_digits,            refuse,                 refuse),
    events.Held:                 (refuse,                 refuse,                 refuse,                 refuse,                 parties.hold,           refuse,                 refuse),
    events.PartyInvited:         (refuse,                 refuse,                 refuse,                 refuse,                 parties.invite,         refuse,                 refuse),
    events.PartyGiven:           (refuse,                 refuse,                 refuse,                 refuse,                 parties.add_given,      refuse,                 refuse),
    events.PartyDropped:         (refuse,                 refuse,                 refuse,                 refuse,                 parties.drop,           refuse,                 refuse),
    events.FarGivenAway:         (refuse,                 parties.give_far_away,  parties.give_far_away,  refuse,                 parties.give_far_away,  refuse,                 refuse),
    events.Left:                 (refuse,                 refuse,                 refuse,                 refuse,                 parties.leave,          refuse,                 refuse),
    events.RecordingRequested:   (refuse,                 refuse,                 refuse,                 refuse,                 recording.record,       refuse,                 refuse),
    events.Arrived:              (arrive,                 illegal,                illegal,                illegal,                illegal,                illegal,                illegal),
    events.PagesRang:            (pages_rang,             illegal,                illegal,                illegal,                illegal,                pages_rang_late,        pages_rang_late),
    events.NobodyRings:          (ignore,                 nobody_rings,           ignore,                 ignore,                 ignore,                 ignore,                 ignore),
    events.StasisStarted:        (stasis_started,         stasis_started,         stasis_started,         stasis_started,         stasis_started,         ignore,                 ignore),
    events.ChannelReplaced:      (ignore,                 ignore,                 ignore,                 ignore,                 parties.replaced,       ignore,                 ignore),
    events.ConnectedLineChanged: (connected_line_changed, connected_line_changed, connected_line_changed, connected_line_changed, connected_line_changed, ignore,                 ignore),
    events.StasisEnded:          (stasis_ended,           stasis_ended,           stasis_ended,           stasis_ended,           stasis_ended,           ignore,                 ignore),
    events.ChannelDestroyed:     (channel_destroyed,      channel_destroyed,      channel_destroyed,      channel_destroyed,      channel_destroyed,      channel_destroyed_late, ignore),
    events.FarRinging:           (far_rings,              ignore,                 ignore,                 ignore,                 ignore,                 ignore,                 ignore),
    events.FarProgress:          (far_progresses,         far_progresses,         ignore,                 ignore,                 ignore,                 ignore,                 ignore),
    events.EarlyMedia:           (ignore,                 early_media,            ignore,                 ignore,                 ignore,                 ignore,                 ignore),
    events.FarAnswered:          (far_answers,            far_answers,            far_answers,            ignore,                 ignore,                 ignore,                 ignore),
    events.FarFailed:            (far_fails,              far_fails,              far_fails,              ignore,                 ignore,                 ignore,                 ignore),
    events.FarHangsUp:           (far_hangs_up,           far_hangs_up,           far_hangs_up,           far_hangs_up,           far_hangs_up,           ignore,                 ignore),
    events.FarDigit:             (ignore,                 ignore,                 far_digit,              ignore,                 far_digit,              ignore,                 ignore),
    events.FarHeld:              (ignore,                 ignore,                 ignore,                 ignore,                 far_holds,              ignore,                 ignore),
    events.PhoneAnswered:        (ignore,                 phone_answers,          ignore,                 ignore,                 ignore,                 ignore,                 ignore),
    events.NearHeld:             (ignore,                 ignore,                 ignore,                 ignore,                 near_holds,             ignore,                 ignore),
    events.PartyRang:            (ignore,                 ignore,                 ignore,                 ignore,                 parties.ringing,        ignore,                 ignore),
    events.PartyAnswered:        (ignore,                 ignore,                 ignore,                 ignore,                 parties.answered,       ignore,                 ignore),
    events.PartyFailed:          (ignore,                 ignore,                 ignore,                 ignore,                 parties.failed,         ignore,                 ignore),
    events.PartyHangsUp:         (ignore,                 ignore,                 ignore,                 ignore,                 parties.hangs_up,       ignore,                 ignore),
    events.RecordingEnded:       (ignore,                 ignore,                 ignore,                 ignore,                 recording.ended,        ignore,                 ignore),
    events.OwnerLost:            (owner_lost,             owner_lost,             owner_lost,             owner_lost,             owner_lost,             ignore,                 ignore),
    events.OwnerBack:            (owner_back,             owner_back,             owner_back,             owner_back,             owner_back,             ignore,                 ignore),
    events.MediaLost:            (media_lost,             media_lost,             media_lost,             media_lost,             media_lost,             ignore,                 ignore),
    events.MediaChecked:         (media_checked,          media_checked,          media_checked,          media_checked,          media_checked,          ignore,                 ignore),
    events.PbxLost:              (pbx_lost,               pbx_lost,               pbx_lost,               pbx_lost,               pbx_lost,               ignore,                 ignore),
    events.TimerFired:           (timer,                  timer,                  timer,                  timer,                  timer,                  ignore,                 ignore),
    events.StepDone:             (step_done,              step_done,              step_done,              accepting_step_done,    step_done,              step_done_late,         illegal),
    events.StepFailed:           (step_failed,            step_failed,            step_failed,            step_failed,            step_failed,            step_failed_late,       illegal),
    events.MuteFailed:           (ignore,                 ignore,                 ignore,                 ignore,                 parties.mute_failed,    ignore,                 ignore),
    events.RecordingRefused:     (ignore,                 ignore,                 ignore,                 ignore,                 recording.refused,      ignore,                 ignore),
    events.ReleaseFailed:        (ignore,                 ignore,                 ignore,                 ignore,                 ignore,                 release_failed,         ignore),
    events.Released:             (released_in_call,       released_in_call,       released_in_call,       released_in_call,       released_in_call,       released,               ignore),
}
# fmt: on
