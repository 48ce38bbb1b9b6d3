"""The call as a finite state machine, sans I/O: what a call is, what happens to it, and what is decided then."""
