"""The demo's settings: what may be set, what is refused, and who can read the file."""

import subprocess
from pathlib import Path

import pytest

from deploy.demo import settings
from deploy.demo.settings import BadSetting
from frontend.settings import load


def test_defaults_are_loopback_and_asterisk_16() -> None:
    read = settings.read({})
    assert (read.url, read.asterisk, read.ws_port) == ("http://127.0.0.1:3000", "16", 8080)


def test_an_address_means_https_and_sign_in(tmp_path: Path) -> None:
    read = settings.read({"HOST": "192.0.2.7", "HTTP_PORT": "3443"})
    told = settings.front_end_environment(read, tmp_path, ari_password="x", sip_edge_token="y" * 32)
    assert read.url == "https://192.0.2.7:3443"
    assert told["ENABLE_AUTHENTICATION"] == "true"
    assert told["CORS_ORIGIN"] == read.url
    assert told["TLS_CERT"] == str(tmp_path / "certificate.pem")


def test_no_sign_in_on_loopback_only(tmp_path: Path) -> None:
    told = settings.front_end_environment(settings.read({}), tmp_path, ari_password="x", sip_edge_token="y" * 32)
    assert (told["HTTP_HOST"], told["ENABLE_AUTHENTICATION"]) == ("127.0.0.1", "false")
    assert "USERS_FILE" not in told


def test_two_rtpengines_with_ports_of_their_own(tmp_path: Path) -> None:
    read = settings.read({"NG_PORT": "2300", "RTPENGINE_RTP": "30000-30099"})
    assert read.ng_ports == (2300, 2310)
    assert read.rtpengine_rtp_ranges == [(30000, 30049), (30050, 30099)]
    told = settings.front_end_environment(read, tmp_path, ari_password="x", sip_edge_token="y" * 32)
    assert told["RTPENGINE_NG"] == "127.0.0.1:2300,127.0.0.1:2310"
    assert {port.number for port in read.ports()} >= {2300, 2310}


def test_what_the_front_end_remembers_stands_in_the_demos_folder(tmp_path: Path) -> None:
    told = settings.front_end_environment(settings.read({}), tmp_path, ari_password="x", sip_edge_token="y" * 32)
    assert told["STATE_DIR"] == str(tmp_path / "state")
    assert told["TOKEN_SECRET_FILE"] == str(tmp_path / "token-secret")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASTERISK", "13"),
        ("HOST", "0.0.0.0"),
        ("HTTP_PORT", "http"),
        ("HTTP_PORT", "0"),
        ("NG_PORT", "65536"),
        ("NG_PORT_2", "none"),
        ("RTPENGINE_RTP", "30000"),
        ("ASTERISK_RTP", "22000-20000"),
    ],
)
def test_a_bad_setting_is_named_with_an_example(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        settings.read({name: value})
    assert caught.value.name == name
    assert str(caught.value).startswith(f"{name}: ")
    assert "Example: " in str(caught.value)


def test_the_file_is_private_and_keeps_the_password(tmp_path: Path) -> None:
    path = tmp_path / "env"
    first = settings.kept_password(path)
    read = settings.read({"SIP_PORT": "5062"})
    settings.write(
        path, settings.front_end_environment(read, tmp_path, ari_password=first, sip_edge_token="y" * 32), read
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.kept_password(path) == first
    assert "SIP_PORT=5062" in path.read_text().splitlines()


def test_a_shell_reads_the_file_as_it_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "env"
    read = settings.read({})
    told = settings.front_end_environment(read, tmp_path, ari_password="secret", sip_edge_token="y" * 32)
    settings.write(path, told, read)
    shown = subprocess.run(
        ["sh", "-euc", '. "$1"; printf %s "$PHONE_BOOK"', "sh", str(path)], capture_output=True, text=True, check=True
    )
    assert shown.stdout == told["PHONE_BOOK"]


def test_each_first_start_makes_a_password_of_its_own(tmp_path: Path) -> None:
    assert settings.kept_password(tmp_path / "one") != settings.kept_password(tmp_path / "two")


def test_the_front_end_takes_what_the_demo_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings.front_end_environment(settings.read({}), tmp_path, ari_password="x", sip_edge_token="y" * 32)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    taken = load(_env_file=None)
    assert dict(taken.phone_book) == {**settings.NUMBERS, **{user: f"Browser user {user}" for user in settings.USERS}}
    assert taken.preflight_number == "600" and taken.voicemail_number == "*97"
