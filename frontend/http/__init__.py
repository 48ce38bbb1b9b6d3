"""What the HTTP API is built on: typed endpoints, problems, idempotency, long polling, middleware."""
