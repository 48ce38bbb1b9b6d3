"""The decisions of the state machine, by subject: media legs, parties, recordings."""
