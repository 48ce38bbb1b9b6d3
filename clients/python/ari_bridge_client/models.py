"""The responses of the HTTP API that have more for programs than their JSON. The others: `api_models.py`."""

import msgspec

from ari_bridge_client import api_models


class CallInfo(api_models.CallData, frozen=True):
    """A call, live or ended.

    Attributes:
        etag: Of this version of the call; `HttpClient.get_call` waits for another one.
    """

    etag: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ("ended", "ending")


class CallPage(msgspec.Struct, frozen=True, rename="camel"):
    calls: list[CallInfo]
    next_cursor: str | None


class Health(api_models.HealthData, frozen=True):
    """Whether calls can be placed.

    Attributes:
        status: `ok` or `degraded`: yes. `draining` or `unavailable`: no.
    """

    @property
    def ok(self) -> bool:
        return self.status in ("ok", "degraded")
