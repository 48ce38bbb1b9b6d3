"""Healthy or degraded: said once each time."""

import structlog
from structlog.testing import capture_logs

from ari_bridge.service_health import ServiceHealth


class Figure:
    def __init__(self) -> None:
        self.value = -1.0

    def set(self, value: float) -> None:
        self.value = value


def test_each_change_is_logged_and_measured_once() -> None:
    gauge = Figure()
    with capture_logs() as logs:
        health = ServiceHealth(degraded="broken", recovered="works", gauge=gauge, log=structlog.get_logger())
        health.publish()
        assert health.healthy and gauge.value == 1
        assert [health.succeed(), health.fail("full", step="store"), health.fail("still full")] == [False, True, False]
        assert not health.healthy and health.reason == "still full" and gauge.value == 0
        assert [health.succeed(step="store"), health.succeed()] == [True, False]
        assert health.healthy and health.reason == "" and gauge.value == 1
    assert [line["event"] for line in logs] == ["broken", "works"]
    assert logs[0]["reason"] == "full" and logs[0]["step"] == logs[1]["step"] == "store"
