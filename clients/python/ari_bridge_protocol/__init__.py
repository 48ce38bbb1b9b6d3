"""The WebSocket protocol: its messages. It imports nothing of the server, and the client is built on it."""
