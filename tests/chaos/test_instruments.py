"""The instruments themselves: what they measure is what was there."""

import asyncio
import contextlib
import socket
import struct

import numpy as np
import pytest

from ari_bridge.fsm.call import Direction
from ari_bridge.ids import leg_id
from ari_bridge_client.audio import Samples
from tests.chaos import kill_plugin
from tests.chaos.far import FAR_TONE, PAGE_TONE, Far
from tests.chaos.proxy import Proxy
from tests.real import free_ports
from tests.real.rtp import PCMU, RATE, decode, encode
from tests.real.tone_presence import FRAME_SECONDS, Clock, TonePresence, has_tone


def sine(hz: float, loudness: float = 0.3, seconds: float = 0.02) -> Samples:
    turns = np.arange(round(RATE * seconds)) * (hz / RATE)
    wave: Samples = (np.sin(2 * np.pi * turns) * loudness * 32767).astype(np.int16)
    return wave


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (sine(440), True),
        (sine(700), False),
        (sine(440, 0.001), False),  # below -45 dBFS
        (sine(440) + sine(700), False),
        (np.zeros(160, np.int16), False),
        (np.zeros(0, np.int16), False),
    ],
    ids=["tone", "another", "too quiet", "half of it", "silence", "nothing"],
)
def test_a_frame_has_the_tone_or_has_not(samples: Samples, expected: bool) -> None:
    assert has_tone(samples, 440, RATE) is expected


def test_the_longest_silence_is_the_longest_gap() -> None:
    presence = TonePresence()
    for start in (0.0, 0.02, 0.045, 0.3, 1.0):  # the third is a little late, which is none
        presence.heard(start, start + 0.02)
    assert [round(end - start, 3) for start, end in presence.silences(0, 1.2)] == [0.235, 0.68, 0.18]
    assert presence.longest_silence(0, 1.2) == pytest.approx(0.68)
    assert presence.longest_silence(0.4, 0.9) == pytest.approx(0.5)  # all of it
    assert TonePresence().longest_silence(3, 5) == 2


def test_a_tone_is_there_again_when_it_stays() -> None:
    presence = TonePresence([(0, 1), (2, 2.02), (3, 4)])
    assert presence.again(0.5) == 0.5
    assert presence.again(1.5) == 3
    assert presence.again(3.95) is None


def test_frames_are_placed_by_their_count_and_anchored_anew_after_a_stall() -> None:
    clock = Clock()
    assert clock.place(0.02, 100.02) == pytest.approx(100.02)
    assert clock.place(0.04, 100.09) == pytest.approx(100.04)  # seen late by a busy program
    assert clock.place(0.06, 101.0) == pytest.approx(101.0)  # the stream itself was late


async def test_the_far_party_measures_a_gap_and_sends_its_tone() -> None:
    packet = struct.pack("!BBHII", 0x80, PCMU, 1, 0, 1) + encode(sine(PAGE_TONE))
    async with Far() as far:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as page:
            for pause in (*[FRAME_SECONDS] * 15, 0.5, *[FRAME_SECONDS] * 15):
                page.sendto(packet, (free_ports.HOST, far.port))
                await asyncio.sleep(pause)
            page.setblocking(False)
            assert has_tone(decode(page.recv(2048)[12:]), FAR_TONE, RATE)
        [presence] = (await far.heard()).values()
        first, last = presence.spans[0][0], presence.last
        assert presence.longest_silence(first, last) == pytest.approx(0.48, abs=0.1)


async def test_a_cut_proxy_resets_and_refuses_and_is_mended() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    port, behind = free_ports.ports(2)
    server = await asyncio.start_server(echo, free_ports.HOST, behind)
    async with server, Proxy(free_ports.HOST, port, (free_ports.HOST, behind)) as proxy:
        reader, writer = await asyncio.open_connection(free_ports.HOST, port)
        writer.write(b"there")
        assert await reader.readexactly(5) == b"there"
        proxy.swallow()
        writer.write(b"swallowed")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.1)
        await proxy.mend()
        assert await asyncio.wait_for(reader.readexactly(9), 1) == b"swallowed"
        await proxy.cut()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.readexactly(1), 1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(free_ports.HOST, port)
        await proxy.mend()
        reader, again = await asyncio.open_connection(free_ports.HOST, port)
        again.write(b"back")
        assert await asyncio.wait_for(reader.readexactly(4), 1) == b"back"
        for side in (writer, again):
            side.close()


def test_every_step_that_is_killed_at_is_a_request_that_the_plugin_sees() -> None:
    """Else its case would wait for a request that never comes."""
    operations = (
        *("channels.create", "channels.externalMedia", "channels.dial", "channels.ring", "channels.answer"),
        *("channels.hangup", "bridges.createWithId", "bridges.addChannel", "bridges.destroy"),
    )
    channels = ("1700000000.1", leg_id("call", 1))
    seen = {kill_plugin.step_of_ari(name, {"channelId": channel}) for name in operations for channel in channels}
    seen |= set(kill_plugin.STEPS_OF_NG.values())
    set_ups = {step for direction in Direction for step in kill_plugin.steps_of_set_up(direction)}
    assert set_ups | set(kill_plugin.steps_of_hang_up()) == seen - {""}
