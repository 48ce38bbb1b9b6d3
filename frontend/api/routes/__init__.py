"""Every operation of the HTTP API, in the order in which they are documented."""

from typing import Any

from frontend.api.routes import (
    api_docs,
    call_endpoints,
    call_queries,
    cdrs,
    event_stream,
    health,
    monitoring,
    people,
    recordings,
)
from frontend.http.endpoint import Endpoint

OPERATIONS: tuple[Endpoint[Any, Any], ...] = (
    *call_endpoints.OPERATIONS,
    *call_queries.OPERATIONS,
    *people.OPERATIONS,
    *recordings.OPERATIONS,
    *cdrs.OPERATIONS,
    *monitoring.OPERATIONS,
    *event_stream.OPERATIONS,
    *health.OPERATIONS,
    *api_docs.OPERATIONS,
)
TAGS = tuple(dict.fromkeys(operation.tag for operation in OPERATIONS))
