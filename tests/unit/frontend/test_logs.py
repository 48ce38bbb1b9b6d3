"""Secrets and SDP do not get into the logs."""

import pytest

from frontend.cli.logging import redact

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\na=ice-pwd:very-secret\r\n"


@pytest.mark.parametrize("key", ["password", "ari_password", "token", "Authorization", "secret"])
@pytest.mark.parametrize("level", ["debug", "info", "error"])
def test_secrets_are_hidden_at_every_level(key: str, level: str) -> None:
    assert redact(None, level, {key: "hunter2"}) == {key: "(hidden)"}


@pytest.mark.parametrize(
    "text", ["Authorization: Bearer hunter2", "GET /events?token=hunter2&x=1", "user=a password=hunter2"]
)
def test_secrets_inside_a_text_are_hidden(text: str) -> None:
    assert "hunter2" not in redact(None, "debug", {"event": text})["event"]


def test_sdp_is_told_at_debug_only() -> None:
    assert redact(None, "info", {"event": f"offer {SDP}"}) == {"event": "offer (SDP)"}
    assert redact(None, "debug", {"event": SDP}) == {"event": SDP}
