"""Hooks reach their handlers, and a bad handler harms nobody."""

import asyncio
import sys
import threading
import types

import pytest

from ari_bridge.fsm.call import Call, Direction, MediaLeg
from ari_bridge.hooks import (
    AriReceived,
    CallChanged,
    CallEnded,
    CallEvent,
    CallStarted,
    HookEvent,
    Hooks,
    PluginError,
    RecordingFinished,
    emitter,
    load_plugins,
)

CALL = Call("call1", Direction.OUTBOUND, "600", "alice", 1.0, leg=MediaLeg(1, "v=0 secret sdp"))


@pytest.fixture
def hooks():  # type: ignore[no-untyped-def]
    hooks = Hooks()
    yield hooks
    hooks.close()


def test_a_handler_gets_its_events_in_order(hooks: Hooks) -> None:
    seen: list[HookEvent] = []
    hooks.on(CallEvent, seen.append)
    hooks.emit(CallStarted(CALL))
    hooks.emit(AriReceived("Dial", {"type": "Dial"}))
    hooks.emit(CallChanged(CALL))
    hooks.close()
    assert [event.name for event in seen] == ["call.started", "call.changed"]


def test_an_async_handler_is_awaited(hooks: Hooks) -> None:
    seen: list[str] = []

    async def handler(event: CallEnded) -> None:
        await asyncio.sleep(0)
        seen.append(event.call.id)

    hooks.on(CallEnded, handler)
    hooks.emit(CallEnded(CALL))
    hooks.close()
    assert seen == ["call1"]


def test_a_handler_that_raises_gets_the_next_event_all_the_same(hooks: Hooks) -> None:
    seen: list[HookEvent] = []

    def handler(event: CallEvent) -> None:
        seen.append(event)
        raise RuntimeError("broken")

    hooks.on(CallEvent, handler)
    hooks.emit(CallStarted(CALL))
    hooks.emit(CallEnded(CALL))
    hooks.close()
    assert len(seen) == 2


def test_an_async_handler_that_hangs_is_cut_off(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitter, "HANDLER_TIMEOUT_S", 0.01)
    seen: list[str] = []

    async def handler(event: CallEvent) -> None:
        seen.append(event.name)
        await asyncio.sleep(3600)

    hooks.on(CallEvent, handler)
    hooks.emit(CallStarted(CALL))
    hooks.emit(CallEnded(CALL))
    hooks.close()
    assert seen == ["call.started", "call.ended"]


def test_a_handler_that_blocks_for_ever_stops_nobody(hooks: Hooks) -> None:
    release = threading.Event()

    def blocked(event: CallEvent) -> None:
        release.wait()

    hooks.on(CallEvent, blocked)
    seen: list[HookEvent] = []
    hooks.on(CallEvent, seen.append)
    for _ in range(emitter.MAX_QUEUED_EVENTS + 10):
        hooks.emit(CallStarted(CALL))
    hooks.close()
    assert len(seen) >= emitter.MAX_QUEUED_EVENTS
    release.set()


def test_a_tap_that_raises_does_not_stop_the_event(hooks: Hooks) -> None:
    def broken(event: HookEvent) -> None:
        raise RuntimeError("broken")

    seen: list[HookEvent] = []
    hooks.tap(broken)
    hooks.tap(seen.append)
    hooks.emit(CallStarted(CALL))
    assert len(seen) == 1


def test_every_event_names_its_call_by_the_same_field() -> None:
    assert CallEnded(CALL).call_id == RecordingFinished("call1", "call1-rec1").call_id == "call1"
    assert AriReceived("Dial", {}).call_id is None
    assert AriReceived("Dial", {}, call_id="call1").call_id == "call1"


def test_no_sdp_leaves_with_an_event() -> None:
    assert "sdp" not in repr(CallStarted(CALL).data())


def test_plugins_are_set_up_and_a_missing_one_is_named(hooks: Hooks) -> None:
    module = types.ModuleType("demo_plugin")
    module.setup = lambda hooks: hooks.on(CallEnded, lambda event: None)  # type: ignore[attr-defined]
    sys.modules["demo_plugin"] = module
    load_plugins(hooks, ["demo_plugin"])
    with pytest.raises(PluginError, match="no_such_plugin"):
        load_plugins(hooks, ["no_such_plugin"])
    del sys.modules["demo_plugin"]
