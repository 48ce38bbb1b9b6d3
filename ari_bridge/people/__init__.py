"""Who wants to be called, and where a call goes that finds nobody."""

from ari_bridge.people.kept import NotKept, PreferenceFile, PreferenceStore
from ari_bridge.people.preferences import VOICEMAIL, Preferences, check
from ari_bridge.people.reach import reach

__all__ = ["VOICEMAIL", "NotKept", "PreferenceFile", "PreferenceStore", "Preferences", "check", "reach"]
