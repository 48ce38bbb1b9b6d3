"""SIGHUP, and what is read again without it: certificates, users, settings."""

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from ari_bridge.accounts.users_file import UsersFile
from ari_bridge.number_routing import Routes
from frontend.app import App
from frontend.settings import InvalidSettings, Settings, load
from tests.fakes.accounts import claims_of
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A new self-signed certificate for `name`, in the place of the one before."""
    made = folder / "new-cert.pem", folder / "new-key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(made[1]), "-out", str(made[0]), "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run(command, check=True, capture_output=True)
    return made


def install(made: tuple[Path, Path], places: tuple[Path, Path]) -> None:
    for file, place in zip(made, places, strict=True):
        file.replace(place)


async def served(app: App) -> str:
    """The name in the certificate that a new connection is shown."""
    host, _, port = app.url.partition("://")[2].rpartition(":")
    return await asyncio.to_thread(_subject, (host, int(port)))


def _subject(address: tuple[str, int]) -> str:
    certificate = ssl.get_server_certificate(address)
    command = ["openssl", "x509", "-noout", "-subject", "-nameopt", "multiline"]
    told = subprocess.run(command, input=certificate, check=True, capture_output=True, text=True)
    return told.stdout.rpartition("= ")[2].strip()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    places = tmp_path / "cert.pem", tmp_path / "key.pem"
    install(make_certificate(tmp_path, "first"), places)
    return places


@asynccontextmanager
async def running(settings: Settings, **changes: Any) -> AsyncIterator[App]:
    app = App(settings.model_copy(update=changes))
    await app.start()
    try:
        yield app
    finally:
        await app.close()


@asynccontextmanager
async def with_tls(settings: Settings, certificate: tuple[Path, Path]) -> AsyncIterator[App]:
    async with running(settings, tls_cert=certificate[0], tls_key=certificate[1]) as app:
        yield app


async def test_a_certificate_that_is_renewed_on_disk_is_served_without_a_word(
    settings: Settings, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontend.http.tls.CHECK_INTERVAL_S", 0.05)
    async with with_tls(settings, certificate) as app:
        trusting = aiohttp.TCPConnector(ssl=False)
        async with aiohttp.ClientSession(connector=trusting) as http, http.ws_connect(app.ws_url) as socket:
            assert (await socket.receive_json())["type"] == "welcome"
            assert await served(app) == "first"
            install(make_certificate(tmp_path, "second"), certificate)
            async with asyncio.timeout(10):
                while await served(app) != "second":  # noqa: ASYNC110  polled, as a stranger would
                    await asyncio.sleep(0.05)
            await socket.send_json({"type": "register", "user": "1001"})  # connections that stand go on
            async with asyncio.timeout(5):
                while (await socket.receive_json())["type"] != "registered":
                    pass


@pytest.mark.parametrize("fault", ["half", "gone", "nonsense"])
async def test_a_renewal_that_is_half_done_is_not_served(
    settings: Settings, certificate: tuple[Path, Path], tmp_path: Path, fault: str
) -> None:
    async with with_tls(settings, certificate) as app:
        new, key = make_certificate(tmp_path, "second")
        if fault == "half":
            new.replace(certificate[0])  # the key is still the old one's
        elif fault == "gone":
            certificate[0].unlink()
        else:
            certificate[0].write_text("nonsense")
        app.reload(lambda: app._settings)
        assert await served(app) == "first"
        if fault != "half":
            new.replace(certificate[0])
        key.replace(certificate[1])
        app.reload(lambda: app._settings)
        assert await served(app) == "second"


async def test_what_can_change_changes_and_the_rest_is_told(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(settings) as app, aiohttp.ClientSession(app.url) as http:
        changes = {
            "cors_origin": ("https://crm.example.com",),
            "phone_book": (("602", "Music"),),
            "dial_routes": "100=PJSIP/reception",
            "max_calls": 7,
        }
        app.reload(lambda: app._settings.model_copy(update=changes))
        async with http.get("/config", headers={"Origin": "https://crm.example.com"}) as response:
            assert (await response.json())["phoneBook"] == [{"number": "602", "name": "Music"}]
        async with http.get("/config", headers={"Origin": "https://phone.example.com"}) as response:
            assert response.status == 403
        assert app._routes.resolve("100") == ("100", "PJSIP/reception")
        told = capsys.readouterr()
        assert "MAX_CALLS" in told.out + told.err


async def test_a_context_that_the_dialplan_does_not_have_is_told_once_it_is_read(settings: Settings) -> None:
    async with running(settings, dial_context="from-browser") as app:
        contexts = {"from-browser"}

        async def exists(_channel: str, context: str) -> bool:
            return context in contexts

        app.ari.channels.context_exists = exists  # type: ignore[method-assign, assignment]
        async with asyncio.timeout(5):
            while not app.ari.connected:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for context, reason in (("nowhere", "the dialplan has no context nowhere"), ("from-browser", "")):
            app.reload(lambda context=context: app._settings.model_copy(update={"dial_context": context}))  # type: ignore[misc]
            async with asyncio.timeout(3):  # less than the time between two looks
                while not (app.readiness.reason.startswith(reason) and bool(reason) == bool(app.readiness.reason)):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)


async def test_wrong_settings_leave_those_before_in_force(settings: Settings) -> None:
    def wrong() -> Settings:
        raise InvalidSettings("HTTP_PORT='abc'")

    async with running(settings) as app, aiohttp.ClientSession(app.url) as http:
        app.reload(wrong)
        async with http.get("/config", headers={"Origin": "https://phone.example.com"}) as response:
            assert response.status == 200


async def test_the_token_secret_of_an_earlier_version_is_taken_over_once(settings: Settings) -> None:
    UsersFile(settings.users_file).add("1001", "right", "admin")
    settings.token_secret_file.write_text("of an earlier version, and long enough\n")
    async with running(settings, enable_authentication=True) as app, aiohttp.ClientSession(app.url) as http:
        async with http.post("/session", json={"user": "1001", "password": "right"}) as response:
            new = (await response.json())["token"]
        assert app.access
        claims = claims_of(app.access, "1001")
        claims = {name: value for name, value in claims.items() if name != "sid"} | {"jti": "0123456789abcdef"}
        old = jwt.encode(claims, "of an earlier version, and long enough")  # without `kid`
        settings.token_secret_file.write_text("another one, which nobody reads any more")
        app.reload(lambda: app._settings)
        for token in (new, old):
            async with http.get("/stats", headers={"Authorization": f"Bearer {token}"}) as response:
                assert response.status == 200
        async with http.delete("/session", headers={"Authorization": f"Bearer {old}"}) as response:
            assert response.status == 204
        async with http.get("/stats", headers={"Authorization": f"Bearer {old}"}) as response:
            assert response.status == 401


async def test_routes_that_are_replaced_are_those_of_every_call(settings: Settings) -> None:
    routes = Routes(context="one")
    routes.use(Routes(context="two"))
    assert routes.resolve("600")[1] == "Local/600@two/n"


async def test_sighup_reads_the_settings_again_and_ends_nothing(
    pbx: FakeAri, rtpengine: FakeRtpengine, tmp_path: Path
) -> None:
    """The real program: `.env` in its folder, signals from outside."""
    [port] = _free()
    lines = {
        "ARI_URL": pbx.url,
        "ARI_USER": pbx.user,
        "ARI_PASSWORD": pbx.password,
        "RTPENGINE_NG": rtpengine.address,
        "HTTP_PORT": port,
        "WS_PORT": 0,
        "LOG_LEVEL": "info",
    }

    def write(**changes: Any) -> None:
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in {**lines, **changes}.items()))

    write()
    environment = {name: value for name, value in os.environ.items() if name not in (*lines, "CORS_ORIGIN")}
    log = tmp_path / "log"
    program = [str(Path(sys.executable).with_name("ari-bridge")), "serve"]
    with log.open("wb") as output:
        server = await asyncio.create_subprocess_exec(*program, cwd=tmp_path, env=environment, stderr=output)
    try:
        await _until(log, "serving")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            async with http.ws_connect("/ws") as socket:
                write(LOG_LEVEL="debug", CORS_ORIGIN="https://crm.example.com")
                server.send_signal(signal.SIGHUP)
                await _until(log, "settings reloaded")
                async with http.get("/config", headers={"Origin": "https://crm.example.com"}) as response:
                    assert response.status == 200
                write(LOG_LEVEL="loud")
                server.send_signal(signal.SIGHUP)
                await _until(log, "LOG_LEVEL='loud'")
                await socket.ping()
        assert server.returncode is None
        server.terminate()
        async with asyncio.timeout(15):
            assert await server.wait() == 0
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def _until(log: Path, text: str) -> None:
    async with asyncio.timeout(60):
        while text not in log.read_text():  # noqa: ASYNC110, ASYNC240  a file tells nobody
            await asyncio.sleep(0.05)


def _free() -> list[int]:
    from tests.real import free_ports

    return free_ports.ports(1)


def test_the_clone_s_secrets_are_not_git_s_to_take(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[3] / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    made = ["users", "token-secret", ".env", ".env.local", "state/calls.sqlite3", "cert.pem", "key.pem", "tls.key"]
    command = ["git", "check-ignore", "--no-index", *made, "env.example"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout.split() == made
    settings = load(ari_password="x", _env_file=None)  # as these are the names by default
    assert {str(settings.users_file), str(settings.token_secret_file), str(settings.state_dir)} <= {*made, "state"}
