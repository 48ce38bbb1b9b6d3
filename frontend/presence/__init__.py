"""Which users have a page open, their call preferences, voicemail counts, and the directory with presence.

The presence of one user is decided in `ari_bridge/preferences/presence.py`.
"""
