"""Which users have a page open, what they want done with their calls, and who is told of whom."""
