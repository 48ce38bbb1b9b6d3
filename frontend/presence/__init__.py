"""Which users have a page open, their call preferences, voicemail counts, and the directory with presence."""
