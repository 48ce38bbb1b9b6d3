"""Which users have a page open, what they want done with their calls, and whose presence is shown to whom.

The presence of one user is decided in `ari_bridge/preferences/presence.py`.
"""
