"""The WebSocket: one connection, and what the connections share."""
