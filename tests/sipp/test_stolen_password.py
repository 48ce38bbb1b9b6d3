"""The toll-fraud story from end to end, at a real trunk: what a stolen password can cause, and how it is ended."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts.users_file import UsersFile
from ari_bridge.hooks import HookEvent, UsageAlarm
from ari_bridge_client import Client
from tests.offers import OFFER
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, both_versions]
PASSWORD = "correct horse battery staple"
COSTLY = ["+8821612345678", "09005123456", "0018765551234", "+19005550100"]
NATIONAL = "03012345{:02}"
LEGS = 6
MANY: dict[str, Any] = {"calls": 50, "at_once": 50, "seconds": 90}
ROUTES = "+*=PJSIP/{target}@trunk; 0*=PJSIP/{target}@trunk"
TO_TRUNK = "_0X.,1,Dial,PJSIP/${EXTEN}@trunk"
"""In the dialplan of forwards: as in a PBX whose forwards may go outside."""


@dataclass
class Attack:
    """A system with sign-in, a trunk that answers whatever comes, and the thief's page."""

    site: LiveSystem
    trunk: Sipp
    thief: Client
    http: aiohttp.ClientSession
    tokens: dict[str, str]
    alarms: list[UsageAlarm]

    def invited(self) -> list[str]:
        """The number of each call that has come to the trunk, retransmissions left out."""
        received = re.findall(r"^INVITE sip:([^@\s]+)@.*?^Call-ID: *(\S+)", self.trunk.messages, re.M | re.S)
        return list({call_id: number for number, call_id in received}.values())

    async def ask(self, user: str, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        async with self.http.request(method, path, json=body, headers=headers) as response:
            return response.status, await response.json()


async def ari_bridge(state_dir: Path, *arguments: str) -> str:
    """What an operator types on the server's machine."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "frontend.cli",
        *arguments,
        env={**os.environ, "STATE_DIR": str(state_dir), "ARI_PASSWORD": "x"},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode == 0, output
    return output.decode()


@pytest.fixture
async def attack(site_with: LiveSystemWith, far: RtpPeer, tmp_path: Path) -> AsyncIterator[Attack]:
    permissions = tmp_path / "dial-permissions.toml"
    permissions.write_text('default = "national"')
    users = UsersFile(tmp_path / "users")
    users.add("1001", PASSWORD, "user")
    users.add("2002", PASSWORD, "operator")
    changes: dict[str, Any] = {
        "country": "DE",
        "dial_permissions_file": permissions,
        "dial_routes": ROUTES,
        "enable_authentication": True,
        "users_file": tmp_path / "users",
        "token_secret_file": tmp_path / "secret",
        "state_dir": tmp_path / "state",
        "allow_outside_to_outside": True,  # the worst case: otherwise leaving and forwarding are refused
        "max_legs_per_user": LEGS,
    }
    async with site_with(**changes) as site, aiohttp.ClientSession(site.app.url) as http:
        cli = site.pbx.asterisk.cli
        await asyncio.to_thread(cli, f"dialplan add extension {TO_TRUNK} into forwards")
        try:
            tokens = {}
            for user in ("1001", "2002"):
                async with http.post("/session", json={"user": user, "password": PASSWORD}) as response:
                    tokens[user] = (await response.json())["token"]
            alarms: list[UsageAlarm] = []
            site.app.hooks.tap(lambda event: _keep(event, alarms))
            async with (
                Sipp(
                    "phone_answers",
                    tmp_path,
                    port=site.pbx.trunk_port,
                    rtp_port=far.port,
                    calls=50,
                    at_once=50,
                    seconds=90,
                ) as trunk,
                site.phone("1001", token=tokens["1001"]) as thief,
            ):
                yield Attack(site, trunk, thief, http, tokens, alarms)
        finally:
            await asyncio.to_thread(cli, "dialplan remove extension _0X.@forwards")


def _keep(event: HookEvent, alarms: list[UsageAlarm]) -> None:
    if isinstance(event, UsageAlarm):
        alarms.append(event)


async def true(condition: Any, what: str) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert condition(), what


async def test_what_a_stolen_password_can_cause_is_bounded_told_and_ended(attack: Attack, tmp_path: Path) -> None:
    site, thief = attack.site, attack.thief

    # Premium, satellite and high-risk numbers: in no way.
    talk = await thief.call("600")
    await talk.wait_for("accepted", timeout=8)
    for number in COSTLY:
        for method, path, body in (
            ("POST", "/invite", {"target": number, "sdp": OFFER}),
            ("POST", f"/call/{talk.id}/transfer", {"target": number}),
            ("POST", f"/call/{talk.id}/parties", {"target": number}),
            ("PUT", "/me/preferences", {"forwardAlways": number}),
        ):
            status, problem = await attack.ask("1001", method, path, body)
            assert (status, problem["code"]) == (403, "forbidden"), (path, problem)
    await talk.hangup()
    await talk.wait_for("ended", timeout=5)
    assert attack.invited() == []

    # A forward to what the class allows: two at once, however many call.
    status, _ = await attack.ask("1001", "PUT", "/me/preferences", {"forwardAlways": NATIONAL.format(0)})
    assert status == 200
    async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, number="1001", calls=5, at_once=5, seconds=60):
        await true(lambda: len(attack.invited()) >= 2, "two calls are forwarded")

        # Conferences that are left, and both transfers: all of them legs of the user.
        left = await thief.call(NATIONAL.format(1))
        await left.wait_for("accepted", timeout=8)
        await left.add_party(NATIONAL.format(2))
        await left.wait_until(
            lambda: any(one.state == "accepted" for one in left.parties.values()), "the party", timeout=8
        )
        await left.leave()
        await left.wait_for("ended", timeout=5)
        one = await thief.call(NATIONAL.format(3))
        await one.wait_for("accepted", timeout=8)
        await one.transfer(NATIONAL.format(4))
        await one.wait_for("ended", timeout=8)
        status, problem = await attack.ask("1001", "POST", "/invite", {"target": NATIONAL.format(5), "sdp": OFFER})
        assert (status, problem["code"], problem["rule"]) == (429, "too_many", "MAX_LEGS_PER_USER")

        # The alarms came, once each.
        await true(
            lambda: {alarm.rule for alarm in attack.alarms} >= {"MAX_LEGS_PER_USER", "MAX_FORWARDS_PER_USER"}, "told"
        )
        assert len(attack.alarms) == len({alarm.rule for alarm in attack.alarms})
        assert {alarm.user for alarm in attack.alarms} == {"1001"}

        # The operator's one command.
        assert len(attack.invited()) == LEGS
        output = await ari_bridge(tmp_path / "state", "calls", "stop-outgoing", "--reason", "stolen password")
        assert "2 calls and 2 forwarded are being ended." in output
        await site.require_nothing_left()

        # Nothing more leaves, until it is allowed: to the thief, nothing at all after a lock.
        status, problem = await attack.ask("1001", "POST", "/invite", {"target": NATIONAL.format(6), "sdp": OFFER})
        assert (status, problem["rule"]) == (403, "outgoing calls are stopped")
        await site.app.accounts.set_locked("1001", True)
        assert "allowed" in await ari_bridge(tmp_path / "state", "calls", "allow-outgoing")
        status, _ = await attack.ask("1001", "POST", "/invite", {"target": NATIONAL.format(7), "sdp": OFFER})
        assert status == 401
    assert sorted(attack.invited()) == sorted([NATIONAL.format(0), *map(NATIONAL.format, range(LEGS - 1))])
