"""Every operation of the HTTP API, in the order in which they are documented."""

from typing import Any

from frontend import (
    call_operations,
    calls_api,
    events,
    health,
    live,
    people_api,
    recordings_api,
    records_api,
    reference_api,
)
from frontend.contract import Operation

OPERATIONS: tuple[Operation[Any, Any], ...] = (
    *call_operations.OPERATIONS,
    *calls_api.OPERATIONS,
    *people_api.OPERATIONS,
    *recordings_api.OPERATIONS,
    *records_api.OPERATIONS,
    *live.OPERATIONS,
    *events.OPERATIONS,
    *health.OPERATIONS,
    *reference_api.OPERATIONS,
)
TAGS = tuple(dict.fromkeys(operation.tag for operation in OPERATIONS))
