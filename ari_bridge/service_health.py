"""Whether something that we depend on works, and since when it does not: for health checks, metrics and the log."""

import time
from typing import Any, Protocol

import structlog


class Gauge(Protocol):
    """As `prometheus_client.Gauge`."""

    def set(self, value: float) -> None: ...


class ServiceHealth:
    """Healthy or degraded. Logs a line when it changes, and only then.

    Args:
        degraded: the log line when it starts to fail.
        recovered: the log line when it works again.
        gauge: set to 1 while healthy, 0 while degraded.
        log: the logger of the module that it belongs to.
    """

    def __init__(
        self, *, degraded: str, recovered: str, log: "structlog.stdlib.BoundLogger", gauge: Gauge | None = None
    ) -> None:
        self.healthy = True
        self.reason = ""
        """Why it fails; "" while it is healthy."""
        self._degraded = degraded
        self._recovered = recovered
        self._gauge = gauge
        self._log = log
        self._degraded_at = 0.0

    def publish(self) -> None:
        """Set the gauge. To be called at the start, as the metrics outlive the object in tests."""
        if self._gauge:
            self._gauge.set(self.healthy)

    def fail(self, reason: str, **details: Any) -> bool:
        """It failed. Returns whether it was healthy until now. `details` are added to the log line."""
        self.reason = reason
        if not self.healthy:
            return False
        self.healthy = False
        self._degraded_at = time.monotonic()
        self.publish()
        self._log.error(self._degraded, reason=reason, **details)
        return True

    def succeed(self, **details: Any) -> bool:
        """It worked. Returns whether it was degraded until now."""
        if self.healthy:
            return False
        self.healthy = True
        self.reason = ""
        self.publish()
        self._log.warning(self._recovered, after_seconds=round(time.monotonic() - self._degraded_at, 1), **details)
        return True
