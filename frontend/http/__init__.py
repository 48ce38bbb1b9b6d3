"""What the HTTP API stands on: typed endpoints, problems, idempotency, long polling, middleware."""
