"""What the Python client makes of sound: muted, moved to another program, asked for over HTTP."""

import asyncio
import sys
from pathlib import Path

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client import Client, HttpClient, IncomingCall, Problem, RecordingData, Refused, Tone
from ari_bridge_client.aiortc_media import AiortcMedia
from ari_bridge_client.events import Mute, TakenOver
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.offer_only_call import OFFER

pytestmark = pytest.mark.real


async def test_who_is_muted_is_not_heard_but_hears(site: LiveSystem) -> None:
    async with site.phone("1001") as one, site.phone("1002") as other:
        placing = asyncio.create_task(one.call("1002", Tone(500)))
        taken = await (await other.incoming()).answer(Tone(900))
        call = await placing
        await taken.received_audio.wait_for_tone(500)
        call.mute()
        call.mute()  # it is already
        await taken.received_audio.wait_for_silence()
        await call.received_audio.wait_for_tone(900)
        call.unmute()
        await taken.received_audio.wait_for_tone(500)
        await call.hangup()
        await taken.wait_for("ended")
    mutes = [event async for event in call.events() if isinstance(event, Mute)]
    assert mutes == [Mute(True), Mute(False)]


async def test_a_call_is_taken_over_by_another_program(site_with: LiveSystemWith) -> None:
    async with site_with(disconnect_grace=10) as site, site.phone("1001") as first, site.phone("1001") as second:
        call = await first.call("601")
        await call.received_audio.wait_for_tone(1004)
        with pytest.raises(Refused) as refused:
            await second._start_call(call.id, None, None)
        assert refused.value.code == "owned_elsewhere"
        moved = await second.take_over(call.id)
        await moved.received_audio.wait_for_tone(1004)
        assert await call.wait_for("taken_over") == TakenOver()
        await moved.hangup()
        assert moved.outcome is Outcome.COMPLETED


async def test_a_caller_who_is_rejected(site: LiveSystem) -> None:
    async with site.phone("1001") as one, site.phone("1002") as other:
        placing = asyncio.create_task(one.call("1002"))
        ringing: IncomingCall = await other.incoming()
        await ringing.reject()
        assert await ringing.wait_until_stopped() == "declined"
        end = await (await placing).wait_for("failed")
        assert end.name == "failed"


async def test_a_call_over_http_alone_is_heard_held_and_recorded(site: LiveSystem, tmp_path: Path) -> None:
    media = AiortcMedia(Tone(700))
    async with HttpClient(site.app.url) as http:
        assert (await http.get_health()).ok
        invited = await http.invite("600", await media.create_offer([]))
        await media.set_answer(invited.sdp)
        await media.received_audio.wait_for_tone(700, timeout=8)
        assert (await http.record(invited.call_id)).recordings
        assert (await http.hold(invited.call_id)).held
        await media.received_audio.wait_for_silence()
        assert not (await http.unhold(invited.call_id)).held
        await media.received_audio.wait_for_tone(700)
        await http.send_dtmf(invited.call_id, "1")
        await http.hangup(invited.call_id)
        found: list[RecordingData] = []
        async with asyncio.timeout(15):
            while not found:
                found = [one async for one in http.list_recordings(call_id=invited.call_id)]
                await asyncio.sleep(0.1)
        recording = await http.download_recording(found[0].name, tmp_path / "call.wav")
        assert recording.seconds > 0.3
        await http.delete_recording(recording.name)
        assert not [one async for one in http.list_recordings(call_id=invited.call_id)]
        async with asyncio.timeout(15):
            while not (rows := [row async for row in http.list_cdrs(number="600", limit=1)]):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert rows[0].call_id == invited.call_id and rows[0].outcome is Outcome.COMPLETED
        assert (await http.get_cdr(invited.call_id)).talk_seconds > 0.5
        names = []
        async for event in http.events(last_id=0):
            names.append(event.name)
            if event.name == "recording.finished":
                break
        assert names.index("call.started") < names.index("call.ended")
    await media.close()


async def test_polls_see_every_change(site: LiveSystem) -> None:
    async with HttpClient(site.app.url) as http:
        placed = await http.invite("603", OFFER)
        call = await http.get_call(placed.call_id)
        while call.state != "ringing":
            call = await http.get_call(call.call_id, wait=5, known=call)
        assert await http.get_call(call.call_id, wait=1, known=call) is call  # nothing changes
        assert call.call_id in [one.call_id async for one in http.list_calls(live=True)]
        waiting = asyncio.create_task(http.get_call(call.call_id, wait=30, known=call))
        await http.hangup(call.call_id)
        assert (await waiting).outcome is Outcome.CANCELLED
        assert call.call_id not in [one.call_id async for one in http.list_calls(live=True)]
        assert [one.call_id async for one in http.list_calls(state="ended", number="603", limit=1)][0] == call.call_id


async def test_one_key_places_one_call(site: LiveSystem) -> None:
    async with HttpClient(site.app.url) as http:
        placed = await asyncio.gather(*(http.invite("603", OFFER, idempotency_key="one") for _ in range(3)))
        await asyncio.gather(*(http.hangup(call_id) for call_id in {one.call_id for one in placed}))
        assert len({one.call_id for one in placed}) == 1
        with pytest.raises(Problem) as reused:
            await http.invite("604", OFFER, idempotency_key="one")
        assert (reused.value.status, reused.value.code) == (422, "idempotency_key_reused")


async def test_people_and_preferences(site: LiveSystem) -> None:
    async with Client(site.app.url, user="1001") as client:
        kept = await client.http.get_preferences(user="1001")
        changed = await client.http.set_preferences(type(kept)(do_not_disturb=True), user="1001")
        assert changed.do_not_disturb and await client.http.get_preferences(user="1001") == changed
        async with asyncio.timeout(5):  # changes gather for a quarter of a second
            while "do_not_disturb" not in [one.state for one in await client.http.list_people()]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            while client.people["1001"].state != "do_not_disturb":  # noqa: ASYNC110  told on the WebSocket too
                await asyncio.sleep(0.05)
        await client.http.set_preferences(type(kept)(), user="1001")


async def ran(*arguments: str) -> tuple[int, str]:
    """Exit status, and all that was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_ari_bridge_call_tells_what_happens_and_what_it_hears(site: LiveSystem, tmp_path: Path) -> None:
    url = site.app.ws_url
    file = tmp_path / "heard.wav"
    status, told = await ran(
        "frontend.cli", "call", "601", "--url", url, "--expect-tone", "1004", "--record", str(file)
    )
    assert status == 0, told
    assert "accepted" in told and "heard a tone at 1004 Hz" in told and "ended (completed" in told
    assert file.stat().st_size > 10_000
    status, told = await ran("frontend.cli", "call", "604", "--url", url)
    assert status == 1 and "Not accepted" in told and "busy" in told, told
    status, told = await ran("frontend.cli", "call", "602", "--url", url, "--expect-tone", "1004", "--seconds", "1")
    assert status == 2 and "1004 Hz was not heard" in told, told


async def test_a_call_outlives_a_command_that_does_nothing(site: LiveSystem) -> None:
    status, told = await ran("tests.fault_check", "true", "--url", site.app.ws_url, "--seconds", "1")
    assert status == 0 and "the call was kept" in told, told
