"""Who wants to be called, and where unanswered calls go."""

from ari_bridge.preferences.preferences import VOICEMAIL, check
from ari_bridge.preferences.ring_decision import decide_ringing
from ari_bridge.preferences.store import PreferenceFile, PreferencesNotSaved, PreferenceStore

__all__ = [
    "VOICEMAIL",
    "PreferencesNotSaved",
    "PreferenceFile",
    "PreferenceStore",
    "check",
    "decide_ringing",
]
