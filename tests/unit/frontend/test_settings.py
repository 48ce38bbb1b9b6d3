"""A wrong setting stops the start with its name, what is wrong, and an example."""

import re
from pathlib import Path
from typing import Any

import pytest

from frontend.settings import InvalidSettings, Settings, load

ROOT = Path(__file__).parents[3]
EXAMPLES = {name.upper(): field.examples[0] for name, field in Settings.model_fields.items() if field.examples}


@pytest.fixture(autouse=True)
def only_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in EXAMPLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_password_is_all_that_must_be_set() -> None:
    settings = load(ari_password="x")
    assert settings.http_host == "127.0.0.1"
    assert settings.enable_authentication


def test_one_that_is_missing_is_named_with_an_example() -> None:
    with pytest.raises(InvalidSettings, match="ARI_PASSWORD is not set. Example: ARI_PASSWORD="):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ari_url", "127.0.0.1:8088"),
        ("ari_app", "a b"),
        ("rtpengine_ng", "127.0.0.1"),
        ("rtpengine_ng", ","),
        ("rtpengine_ng", "127.0.0.1:0"),
        ("rtpengine_ng", "127.0.0.1:70000"),
        ("rtpengine_ng", "127.0.0.1:2223*1001"),
        ("rtpengine_ng", "127.0.0.1:2223, 127.0.0.1:2223*2"),
        ("rtpengine_ng", "udp:127.0.0.1:2223"),
        ("ice_servers", "turn.example.com"),
        ("ice_servers", "http://turn.example.com"),
        ("ice_servers", "stun:turn.example.com:0"),
        ("ice_servers", "stun:turn.example.com:70000"),
        ("ice_servers", "stun:turn.example.com?transport=udp"),
        ("ice_servers", "turn:turn.example.com?transport=sctp"),
        ("ice_servers", "stun:a, stun:a"),
        ("ice_servers", ",".join(f"stun:{number}.example.com" for number in range(17))),
        ("turn_lifetime", "59"),
        ("max_minutes_per_day", "internal=5"),
        ("max_minutes_per_day", "premium=-5"),
        ("max_minutes_per_day", "premium"),
        ("time_zone", "Mars/Olympus"),
        ("codecs", "g729"),
        ("opus_dtx", "perhaps"),
        ("transcoding_limit", "-1"),
        ("http_port", "70000"),
        ("http_port", "http"),
        ("cors_origin", "phone.example.com"),
        ("cors_origin", "https://phone.example.com/page"),
        ("cors_origin", "*"),
        ("enable_authentication", "perhaps"),
        ("log_level", "loud"),
        ("ring_timeout", "0"),
        ("max_calls", "-1"),
        ("cdr_days", "0"),
        ("phone_book", "600"),
        ("dial_routes", "7xxx"),
        ("dial_context", "a,b"),
        ("enable_call_recording", "sometimes"),
        ("recording_announcement", "recorded.wav"),
        ("recording_announcement", "sound:a&b"),
        ("recording_store", "s3://"),
        ("recording_s3_endpoint", "s3.example.com"),
        ("recording_s3_endpoint", "https://s3.example.com/path"),
        ("recording_days", "0"),
    ],
)
def test_a_wrong_one_is_named_with_its_value_and_an_example(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name.upper(), value)
    with pytest.raises(InvalidSettings) as caught:
        load(ari_password="x")
    told = str(caught.value)
    assert told.startswith(f"{name.upper()}={value!r}: ")
    assert f"Example: {name.upper()}={EXAMPLES[name.upper()]}" in told


def test_all_that_are_wrong_are_told_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        load(http_port="x", log_level="x")
    assert re.findall(r"^[A-Z_]+", str(caught.value), re.MULTILINE) == ["ARI_PASSWORD", "HTTP_PORT", "LOG_LEVEL"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_no_sign_in_is_allowed_on_loopback(host: str) -> None:
    assert not load(ari_password="x", enable_authentication=False, http_host=host).enable_authentication


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "phone.example.com", ""])
def test_no_sign_in_is_refused_elsewhere(host: str) -> None:
    with pytest.raises(InvalidSettings, match="ENABLE_AUTHENTICATION"):
        load(ari_password="x", enable_authentication=False, http_host=host)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"ice_servers": "stun:a,turn:a"}, "TURN_SECRET"),
        ({"ice_servers": "turn:a", "turn_secret": "hunter2"}, "TURN_SECRET: it has 7 characters"),
        ({"tls_cert": "cert.pem"}, "TLS_CERT and TLS_KEY"),
        ({"tls_cert": "cert.pem", "tls_key": "key.pem"}, "TLS_CERT: there is no file"),
        ({"target_sip_server": "sip.example.com"}, "TARGET_SIP_ENDPOINT"),
        ({"sip_edge_rpc_url": "http://127.0.0.1:5064/RPC"}, "SIP_EDGE_TOKEN"),
        ({"aws_access_key_id": "id"}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ({"recording_s3_endpoint": "https://s3.example.com"}, "RECORDING_S3_ENDPOINT"),
        ({"http_port": 3000, "ws_port": 3000}, "WS_PORT"),
    ],
)
def test_those_that_do_not_fit_together(values: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidSettings, match=named):
        load(ari_password="x", **values)


def test_the_password_is_never_shown() -> None:
    assert "hunter2" not in repr(load(ari_password="hunter2"))
    assert "hunter2" not in repr(load(ari_password="x", aws_access_key_id="id", aws_secret_access_key="hunter2"))
    assert "hunter2" not in repr(load(ari_password="x", turn_secret="hunter2" * 5, ice_servers="turn:a"))


def test_the_password_in_the_url_of_a_database_is_never_shown() -> None:
    assert "hunter2" not in repr(load(ari_password="x", cdr_database_url="postgresql://u:hunter2@host/cdr"))
    with pytest.raises(InvalidSettings, match="CDR_DATABASE_URL=.hidden.: not a URL like postgresql") as caught:
        load(ari_password="x", cdr_database_url="mysql://u:hunter2@host/cdr")
    assert "hunter2" not in str(caught.value)


def test_every_setting_has_an_example_and_stands_in_the_documented_file() -> None:
    names = {name.upper() for name in Settings.model_fields}
    documented = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / "env.example").read_text(), re.MULTILINE))
    assert names == set(EXAMPLES)
    assert names == documented
