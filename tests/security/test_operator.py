"""What an operator does while a stolen password is misused: end calls, stop all outgoing calls; and who may."""

import asyncio
import os
import pwd
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.audit import Action, ActorKind, AuditQuery
from ari_bridge.dial_permissions import OutgoingSwitch
from frontend.app import App
from frontend.http.control_socket import socket_path
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.real.journals import remove_journal
from tests.security.conftest import PASSWORD, Page, SignIn

OUTSIDE = "030 1234567"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, pbx: FakeAri) -> Settings:
    pbx.far_side = Answers()
    file = tmp_path / "dial-permissions.toml"
    file.write_text('default = "national"')
    return settings.model_copy(update={"country": "DE", "dial_permissions_file": file})


@pytest.fixture
async def caller(
    page: Callable[[], Awaitable[Page]], sign_in: SignIn
) -> AsyncIterator[Callable[[str], Awaitable[Page]]]:
    """A page of a user who has signed in."""

    async def caller(user: str) -> Page:
        opened = await page()
        token = (await sign_in(user))["Authorization"].removeprefix("Bearer ")
        assert (await opened.ask("registered", type="register", user=user, token=token))["type"] == "registered"
        return opened

    yield caller


async def call(page: Page, call_id: str, target: str) -> dict[str, Any]:
    """Until it is accepted; or why it is refused."""
    await page.socket.send_json({"type": "offer", "callId": call_id, "target": target, "sdp": OFFER})
    while True:
        said = await page.told("state", "error")
        if said["type"] == "error" or said.get("state") == "accepted":
            return said


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/calls/end", {"user": "1001"}),
        ("GET", "/outgoing", None),
        ("PUT", "/outgoing", {"allowed": False}),
    ],
)
@pytest.mark.parametrize("user", ["1001", "2001", "2003"])
async def test_only_operators_may(
    http: aiohttp.ClientSession, sign_in: SignIn, user: str, method: str, path: str, body: Any
) -> None:
    async with http.request(method, path, json=body, headers=await sign_in(user)) as response:
        assert (response.status, (await response.json())["code"]) == (403, "forbidden")
    async with http.request(method, path, json=body) as response:
        assert response.status == 401


async def test_all_calls_of_a_user_end_also_those_that_were_left(
    app: App, pbx: FakeAri, http: aiohttp.ClientSession, sign_in: SignIn, caller: Callable[[str], Awaitable[Page]]
) -> None:
    thief, other = await caller("1001"), await caller("1002")
    await call(thief, "left", "600")
    await thief.socket.send_json({"type": "add-party", "callId": "left", "target": "602"})
    while (await thief.told("party"))["state"] != "accepted":
        pass
    await thief.socket.send_json({"type": "leave", "callId": "left"})
    while (await thief.told("state"))["state"] != "ended":
        pass
    await call(thief, "mine", OUTSIDE)
    await call(thief, "help", "112")
    await call(other, "theirs", OUTSIDE)
    async with http.post("/calls/end", json={"user": "1001"}, headers=await sign_in("2002")) as response:
        assert (response.status, sorted((await response.json())["calls"])) == (200, ["left", "mine"])
    await until(lambda: {one.id for one in app.calls.live()} == {"help", "theirs"})
    async with http.post("/calls/end", json={"callId": "help"}, headers=await sign_in("2002")) as response:
        assert response.status == 200
    async with http.post("/calls/end", json={"tenant": "default"}, headers=await sign_in("2002")) as response:
        assert (await response.json())["calls"] == ["theirs"]
    await until(lambda: not pbx.channels and not pbx.bridges)


@pytest.mark.parametrize("body", [{}, {"user": "1001", "tenant": "default"}, {"user": ""}, {"calls": "all"}])
async def test_what_is_to_end_must_be_clear(http: aiohttp.ClientSession, sign_in: SignIn, body: Any) -> None:
    async with http.post("/calls/end", json=body, headers=await sign_in("2002")) as response:
        assert response.status == 400, await response.text()


async def test_stopping_ends_what_goes_outside_and_refuses_more_until_it_is_allowed(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, caller: Callable[[str], Awaitable[Page]]
) -> None:
    thief, operator = await caller("1001"), await sign_in("2002")
    await call(thief, "outside", OUTSIDE)
    await call(thief, "inside", "600")
    stop = {"allowed": False, "reason": "fraud on 1001"}
    async with http.put("/outgoing", json=stop, headers=operator) as response:
        answer = await response.json()
    assert answer["ended"] == {"calls": ["outside"], "forwards": 0}
    assert (answer["allowed"], answer["by"], answer["reason"]) == (False, "2002", "fraud on 1001")
    await until(lambda: [one.id for one in app.calls.live()] == ["inside"])
    error = await call(thief, "more", OUTSIDE)
    assert (error["code"], error["rule"], error["detail"]) == (
        "forbidden",
        "outgoing calls are stopped",
        "outgoing_stopped",
    )
    for message in ({"type": "add-party"}, {"type": "transfer"}):
        error = await thief.ask("party", callId="inside", target=OUTSIDE, **message)
        assert error["code"] == "forbidden"
    async with http.put("/me/preferences", json={"forwardAlways": OUTSIDE}, headers=await sign_in("1001")) as response:
        assert response.status == 403
    assert (await call(thief, "help", "112"))["type"] == "state"
    async with http.get("/health", headers=operator) as response:
        health = await response.json()
    assert health["status"] == "degraded" and "2002: fraud on 1001" in health["checks"]["outgoing"]["reason"]
    async with http.put("/outgoing", json={"allowed": True}, headers=operator) as response:
        assert await response.json() == {"allowed": True, "by": "", "at": None, "reason": "", "ended": None}
    assert (await call(thief, "again", OUTSIDE))["type"] == "state"


async def test_calls_may_go_on_while_no_further_ones_begin(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, caller: Callable[[str], Awaitable[Page]]
) -> None:
    await call(await caller("1001"), "outside", OUTSIDE)
    stop = {"allowed": False, "endCalls": False}
    async with http.put("/outgoing", json=stop, headers=await sign_in("2002")) as response:
        assert (await response.json())["ended"] is None
    assert [one.id for one in app.calls.live()] == ["outside"]


async def test_they_stay_stopped_over_a_restart(settings: Settings) -> None:
    for expected in ("", "by 2002: fraud"):
        app = App(settings)
        await app.start()
        try:
            assert expected in str(app.switch.stop or "")
            if not expected:
                async with aiohttp.ClientSession(app.url) as http:
                    body = {"user": "2002", "password": PASSWORD}
                    async with http.post("/session", json=body) as response:
                        token = (await response.json())["token"]
                    headers = {"Authorization": f"Bearer {token}"}
                    async with http.put(
                        "/outgoing", json={"allowed": False, "reason": "fraud"}, headers=headers
                    ) as response:
                        assert response.status == 200
        finally:
            await app.close()
            remove_journal(settings.state_dir)


async def test_a_switch_that_cannot_be_read_is_stopped(tmp_path: Path) -> None:
    file = tmp_path / "outgoing.json"
    file.write_text("{")
    switch = OutgoingSwitch(file)
    switch.load()
    assert switch.stop is not None
    await switch.set(None)
    switch.load()
    assert switch.stop is None


async def test_a_user_who_is_locked_has_no_calls(
    app: App, pbx: FakeAri, caller: Callable[[str], Awaitable[Page]]
) -> None:
    await call(await caller("1001"), "outside", OUTSIDE)
    await app.accounts.set_locked("1001", True)
    await until(lambda: not pbx.channels)


# --- on the server's own machine ------------------------------------------------------------


async def ari_bridge(settings: Settings, *arguments: str) -> tuple[int, str]:
    """The exit status of `ari-bridge calls`, and what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "frontend.cli",
        "calls",
        *arguments,
        env={**os.environ, "STATE_DIR": str(settings.state_dir), "ARI_PASSWORD": "x"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_command_line_needs_no_password_on_the_machine(
    app: App, settings: Settings, pbx: FakeAri, caller: Callable[[str], Awaitable[Page]]
) -> None:
    thief = await caller("1001")
    await call(thief, "one", OUTSIDE)
    await call(thief, "two", "600")
    status, output = await ari_bridge(settings, "list")
    assert status == 0 and "one\t1001\toutbound\taccepted\t" in output and "Outgoing calls are allowed." in output
    status, output = await ari_bridge(settings, "stop-outgoing", "--reason", "fraud")
    assert status == 0 and output.startswith("1 calls are being ended.\nOutgoing calls are stopped since ")
    assert app.switch.stop and app.switch.stop.by.endswith(" on this machine")
    [stopped] = (await app.audit.page(AuditQuery(action=Action.OUTGOING_STOP))).entries
    assert (stopped.actor_kind, stopped.actor, stopped.actor_id) == (
        ActorKind.CLI,
        pwd.getpwuid(os.getuid()).pw_name,
        "",
    )
    status, output = await ari_bridge(settings, "end", "--user", "1001")
    assert (status, output) == (0, "1 calls are being ended.\n")
    await until(lambda: not pbx.channels)
    assert await ari_bridge(settings, "allow-outgoing") == (0, "Outgoing calls are allowed.\n")
    status, output = await ari_bridge(settings, "end", "gone")
    assert status == 1 and "no call 'gone'" in output


async def test_the_command_line_stops_calls_also_while_no_server_runs(settings: Settings) -> None:
    status, output = await ari_bridge(settings, "list")
    assert status == 1 and "No server runs" in output
    settings.state_dir.mkdir(exist_ok=True)
    status, output = await ari_bridge(settings, "stop-outgoing")
    assert status == 0 and "stopped from its next start on" in output
    app = App(settings)
    await app.start()
    try:
        assert app.switch.stop
    finally:
        await app.close()
        remove_journal(settings.state_dir)


async def test_nobody_else_may_open_the_control_socket(app: App, settings: Settings) -> None:
    with socket_path(settings.state_dir) as path:
        mode = os.stat(path).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) & 0o077 == 0
