"""The AsyncAPI document of `GET /events`, made from the classes of the hook events."""
