"""Who wants to be called, and where a call goes that finds nobody."""

from ari_bridge.preferences.preferences import VOICEMAIL, Preferences, check
from ari_bridge.preferences.ring_decision import reach
from ari_bridge.preferences.store import NotKept, PreferenceFile, PreferenceStore

__all__ = ["VOICEMAIL", "NotKept", "PreferenceFile", "PreferenceStore", "Preferences", "check", "reach"]
