"""The order of what happens after every event of a call: what is published was saved, and actions come last."""

from typing import cast

from ari_bridge.ari.client import Ari
from ari_bridge.engine.call_events import CallEvents
from ari_bridge.engine.call_metrics import CallMetrics
from ari_bridge.engine.call_task import CallTask
from ari_bridge.engine.channel_owners import ChannelOwners
from ari_bridge.engine.lifecycle import CallLifecycle
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.ports import Backends, MediaEngine
from ari_bridge.fsm import events
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.fsm.events import Event
from ari_bridge.hooks import HookEvent, Hooks
from ari_bridge.outcomes import Cause, Outcome
from ari_bridge.preferences.ring_decision import RingDecision
from tests.component.conftest import PagesSeen

CALLER = Call("c1", Direction.INBOUND, "1001", "42", 1.0, far_channel="ast-1")


class Story:
    """A lifecycle whose collaborators note, in `done`, when it was their turn."""

    def __init__(self, *, record_all: bool = False) -> None:
        self.done: list[str] = []
        self.owners = ChannelOwners()
        hooks = Hooks()
        hooks.tap(self._on_hook)
        self.lifecycle = CallLifecycle(
            save=lambda call, events: self.done.append(f"save {call.state.value}"),
            owners=self.owners,
            metrics=CallMetrics(),
            events=CallEvents(hooks),
            post=lambda call_id, event: self.done.append(f"post {type(event).__name__}"),
            forget=lambda call: self.done.append("forget"),
            record_all=record_all,
        )

    def _on_hook(self, event: HookEvent) -> None:
        owned = ", its channel owned" if self.owners.get("ast-2") else ""
        self.done.append(f"{event.name}{owned}")

    def decide_ringing(self, call: Call) -> RingDecision:
        self.done.append("ring")
        return RingDecision(frozenset({"1001"}))


def changed(call: Call, **fields: object) -> Call:
    return Call(**{name: getattr(call, name) for name in call.__struct_fields__} | fields)


def test_it_is_saved_then_its_channels_owned_then_it_is_published_and_recorded() -> None:
    story = Story(record_all=True)
    up = changed(CALLER, state=CallState.UP, far_channel="ast-2")
    story.lifecycle.on_transition(CALLER, up, events.FarAnswered(2.0))
    assert story.done == ["save accepted", "call.changed, its channel owned", "post RecordingRequested"]


def test_a_call_that_has_ended_is_saved_published_and_forgotten_last() -> None:
    story = Story()
    ending = changed(CALLER, state=CallState.ENDING, far_channel="ast-2", outcome=Outcome.COMPLETED, cause=Cause())
    story.lifecycle.on_transition(CALLER, ending, events.HungUp(2.0))
    story.lifecycle.on_transition(ending, changed(ending, state=CallState.ENDED), events.HungUp(3.0))
    published = ["call.ended, its channel owned", "call.released, its channel owned"]
    assert story.done == ["save ending", published[0], "save ended", published[1], "forget"]
    assert story.owners.get("ast-2") is None


async def test_actions_begin_only_after_all_of_it() -> None:
    story = Story()
    backends = Backends(cast(Ari, None), cast(MediaEngine, None), PagesSeen())  # ringing needs neither

    def on_transition(before: Call, after: Call, event: Event) -> None:
        story.lifecycle.on_transition(before, after, event)

    task = CallTask(CALLER, backends, Limits(), on_transition, story.decide_ringing)
    task.post(events.Arrived(1.0))
    assert story.done[:3] == ["save trying", "call.started", "ring"]
    await task.close()
