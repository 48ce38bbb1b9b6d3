"""Hooks: every call event and every ARI event passes one emitter (docs/HOOKS.md). What plugins import is here."""

from ari_bridge.hooks.emitter import Handler, HookEvent, Hooks
from ari_bridge.hooks.events import (
    AriReceived,
    CallAdopted,
    CallChanged,
    CallEnded,
    CallEvent,
    CallReleased,
    CallStarted,
    DigitReceived,
    EventsLost,
    FeedbackGiven,
    LegReleased,
    OutgoingAllowed,
    OutgoingStopped,
    QualityReported,
    RecordingFinished,
    UsageAlarm,
    call_data,
)
from ari_bridge.hooks.plugins import PluginError, load_plugins

__all__ = [
    "AriReceived",
    "CallAdopted",
    "CallChanged",
    "CallEnded",
    "CallEvent",
    "CallReleased",
    "CallStarted",
    "DigitReceived",
    "EventsLost",
    "FeedbackGiven",
    "Handler",
    "HookEvent",
    "Hooks",
    "LegReleased",
    "OutgoingAllowed",
    "OutgoingStopped",
    "QualityReported",
    "PluginError",
    "RecordingFinished",
    "UsageAlarm",
    "call_data",
    "load_plugins",
]
