"""The HTTP API: its routes, and the OpenAPI document and reference that are made of them."""
