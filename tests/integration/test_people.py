"""Do not disturb, forwarding, voicemail and the directory, on a real PBX: who is heard where, and what is counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from ari_bridge_client import Call
from ari_bridge_client.audio import Silence, Tone
from ari_bridge_protocol.preferences import CallPreferences
from frontend.presence.preferences import UserServices
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.real.voicemail_boxes import voicemail_boxes as voicemail_boxes

pytestmark = pytest.mark.real

FAR_TONE, PAGE_TONE = 700, 500


@asynccontextmanager
async def attended(
    site_with: LiveSystemWith, folder: Path, **settings: Any
) -> AsyncIterator[tuple[LiveSystem, UserServices]]:
    """A front end with voicemail, that keeps its users' preferences in `folder`."""
    voicemail = {"voicemail_mailbox": "{user}@default", "voicemail_number": "*97"}
    async with site_with(state_dir=folder, **voicemail, **settings) as site:
        yield site, site.app.user_services


class Listener:
    """A page of a user that only listens."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read(self) -> None:
        async for frame in self.socket:
            self.heard.put_nowait(frame.json())

    async def told(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next message of that kind with these fields."""
        async with asyncio.timeout(10):
            while True:
                message = await self.heard.get()
                if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                    return message

    async def learns(self, states: dict[str, str]) -> None:
        """Waits until the directory's people with these numbers stand so."""
        seen: dict[str, str] = {}
        while not seen.items() >= states.items():
            seen |= {one["number"]: one["state"] for one in (await self.told("people-changed"))["people"]}


@asynccontextmanager
async def page(site: LiveSystem, user: str) -> AsyncIterator[Listener]:
    async with aiohttp.ClientSession() as http, http.ws_connect(site.app.ws_url) as socket:
        listener = Listener(socket)
        reading = asyncio.create_task(listener.read())
        await socket.send_json({"type": "register", "user": user})
        try:
            yield listener
        finally:
            reading.cancel()


async def until_heard(call: Call) -> None:
    async with asyncio.timeout(10):
        while call.received_audio.analyze().is_silent:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture
async def far() -> AsyncIterator[RtpPeer]:
    async with RtpPeer(FAR_TONE) as peer:
        yield peer


@both_versions
async def test_a_caller_of_nobody_leaves_a_message_and_pages_are_told(
    site_with: LiveSystemWith, voicemail_boxes: Path, far: RtpPeer, tmp_path: Path
) -> None:
    async with attended(site_with, tmp_path) as (site, attendant), page(site, "1001") as listening:
        assert (await listening.told("voicemail"))["new"] == 0
        await attendant.set("1001", CallPreferences(forward_always="voicemail"))
        async with Sipp("caller_hangs_up", tmp_path, to=site.pbx.sip_port, rtp_port=far.port, seconds=40) as caller:
            await caller.saw("SIP/2.0 200")
            recorded = voicemail_boxes / "1001"
            async with asyncio.timeout(25):
                while not list(recorded.rglob("*.wav")):  # noqa: ASYNC110  the greeting is over, the message begins
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1.5)  # of a message
            await caller.tell()
            await caller.done()
        assert await listening.told("voicemail", new=1) == {"type": "voicemail", "new": 1, "old": 0, "number": "*97"}
        async with site.phone("1001") as phone:
            call = await phone.call("*97", source=Silence())
            await call.wait_for("accepted")
            await until_heard(call)
            await call.send_dtmf("1")  # "press 1 for new messages"
            await call.received_audio.wait_for_tone(FAR_TONE, timeout=20)
            await call.hangup()
        assert await listening.told("voicemail", new=0) == {"type": "voicemail", "new": 0, "old": 1, "number": "*97"}


@both_versions
async def test_do_not_disturb_rings_no_page_and_the_caller_hears_busy(
    site_with: LiveSystemWith, tmp_path: Path
) -> None:
    async with attended(site_with, tmp_path) as (site, attendant), page(site, "1001") as listening:
        await attendant.set("1001", CallPreferences(do_not_disturb=True))
        assert (await listening.told("preferences", doNotDisturb=True))["doNotDisturb"]
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await caller.done()
            assert "SIP/2.0 486" in caller.messages and "180 Ringing" not in caller.messages
        assert "no page took the call: DND" in site.pbx.asterisk.log.read_text()
        await attendant.set("1001", CallPreferences())
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            call_id = (await listening.told("incoming-call"))["callId"]
            await listening.socket.send_json({"type": "decline", "callId": call_id})
            await caller.done()


@both_versions
async def test_a_forwarded_call_is_heard_at_its_target(site_with: LiveSystemWith, far: RtpPeer, tmp_path: Path) -> None:
    async with attended(site_with, tmp_path) as (site, attendant), site.phone("1002") as phone:
        await attendant.set("1001", CallPreferences(forward_always="1002"))
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            call = await (await phone.incoming(timeout=5)).answer(Tone(PAGE_TONE))
            await call.wait_for("accepted")
            await call.received_audio.wait_for_tone(FAR_TONE)
            await (await far.stream()).heard.wait_for_tone(PAGE_TONE)
            await call.hangup()
            await caller.done()


@both_versions
async def test_nobody_answers_in_the_user_s_own_time_and_the_call_is_forwarded(
    site_with: LiveSystemWith, far: RtpPeer, tmp_path: Path
) -> None:
    kept = {"1001": CallPreferences(forward_no_answer="1002", ring_seconds=1)}  # nobody may set less than 5
    (tmp_path / "preferences.json").write_bytes(msgspec.json.encode(kept))
    async with attended(site_with, tmp_path) as (site, _), site.phone("1001") as phone, site.phone("1002") as other:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            ringing = await phone.incoming(timeout=5)
            assert await ringing.wait_until_stopped(timeout=5) == "no_answer"
            call = await (await other.incoming(timeout=5)).answer(Tone(PAGE_TONE))
            await call.received_audio.wait_for_tone(FAR_TONE)
            await call.hangup()
            await caller.done()


@both_versions
async def test_forwards_in_a_circle_come_to_an_end(site_with: LiveSystemWith, tmp_path: Path) -> None:
    async with attended(site_with, tmp_path) as (site, attendant):
        await attendant.set("1001", CallPreferences(forward_unreachable="1002"))
        await attendant.set("1002", CallPreferences(forward_unreachable="1001"))
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await caller.done()
        log = site.pbx.asterisk.log.read_text()
        assert "1001: forwarded in a circle, or too often: -1001-1002-" in log


@both_versions
async def test_a_user_hears_their_own_messages_without_a_pin(
    site_with: LiveSystemWith, voicemail_boxes: Path, tmp_path: Path
) -> None:
    async with attended(site_with, tmp_path) as (site, _), site.phone("1003") as phone:
        call = await phone.call("*97", source=Silence())
        await call.wait_for("accepted")
        await until_heard(call)  # "You have no messages"
        log = site.pbx.asterisk.log.read_text()
        assert 'VoiceMailMain("' in log and '"1003@default,s")' in log
        await call.hangup()


@both_versions
async def test_the_directory_tells_how_users_and_phones_stand(site_with: LiveSystemWith, tmp_path: Path) -> None:
    async with (
        attended(site_with, tmp_path, people_endpoints="*", phone_book="trunk=Everybody else") as (site, _),
        page(site, "1001") as listening,
        site.phone("1002") as phone,
    ):
        people = {"number": "trunk", "name": "Everybody else", "state": "available"}
        async with asyncio.timeout(10):
            while people not in (await listening.told("people"))["people"]:
                pass
        async with Sipp("phone_never_answers", tmp_path, port=site.pbx.trunk_port):
            call = await phone.call("7001", source=Silence())
            await call.wait_for("ringing")
            await listening.learns({"1002": "in_call", "trunk": "ringing"})
            await call.hangup()
            await listening.learns({"1002": "available", "trunk": "available"})
