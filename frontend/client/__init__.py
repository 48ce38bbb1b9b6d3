"""The client side in Python: a WebSocket connection and a headless WebRTC phone.

Knows the messages and nothing else of the server. The phone needs the extra
packages of `pip install ari-bridge[phone]` (aiortc, numpy).
"""
