"""Every endpoint of the HTTP API, in the order in which they are documented."""

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
    sessions,
)
from frontend.http.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    *sessions.ENDPOINTS,
    *call_endpoints.ENDPOINTS,
    *call_queries.ENDPOINTS,
    *people.ENDPOINTS,
    *recordings.ENDPOINTS,
    *cdrs.ENDPOINTS,
    *monitoring.ENDPOINTS,
    *event_stream.ENDPOINTS,
    *health.ENDPOINTS,
    *api_docs.ENDPOINTS,
)
TAGS = tuple(dict.fromkeys(endpoint.tag for endpoint in ENDPOINTS))
