"""What WebSocket and HTTP share about calls: the commands, and how a call is shown."""
