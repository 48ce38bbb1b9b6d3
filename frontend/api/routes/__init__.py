"""Every endpoint of the HTTP API, in the order in which they are documented."""

from typing import Any

from frontend.api.routes import (
    api_docs,
    audit,
    call_endpoints,
    call_queries,
    cdrs,
    dial_permissions,
    event_stream,
    health,
    keys,
    me,
    monitoring,
    operator,
    people,
    recordings,
    second_factor,
    security_keys,
    sessions,
    sign_in_steps,
    single_sign_on,
    sip_edge,
    sip_password,
    tokens,
    user_endpoints,
)
from frontend.http.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    *sessions.ENDPOINTS,
    *call_endpoints.ENDPOINTS,
    *sign_in_steps.ENDPOINTS,
    *single_sign_on.ENDPOINTS,
    *second_factor.ENDPOINTS,
    *security_keys.ENDPOINTS,
    *sip_password.ENDPOINTS,
    *me.ENDPOINTS,
    *call_queries.ENDPOINTS,
    *operator.ENDPOINTS,
    *keys.ENDPOINTS,
    *tokens.ENDPOINTS,
    *people.ENDPOINTS,
    *recordings.ENDPOINTS,
    *cdrs.ENDPOINTS,
    *audit.ENDPOINTS,
    *user_endpoints.ENDPOINTS,
    *dial_permissions.ENDPOINTS,
    *sip_edge.ENDPOINTS,
    *monitoring.ENDPOINTS,
    *event_stream.ENDPOINTS,
    *health.ENDPOINTS,
    *api_docs.ENDPOINTS,
)
TAGS = tuple(dict.fromkeys(endpoint.tag for endpoint in ENDPOINTS))
