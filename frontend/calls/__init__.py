"""What WebSocket and HTTP share about calls: who may see and command one, the commands, and how a call is shown."""
