"""A call with no client of ours: four JSON messages over a WebSocket (aiohttp), sound by aiortc.

python examples/python/plain_websocket.py [SERVER] [NUMBER]
"""

import asyncio
import sys

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av import AudioFrame

LISTEN = 50  # frames of 20 ms


async def frequency(track: MediaStreamTrack) -> float:
    """Hz of a steady tone: how often a second it goes up through zero."""
    rises, seconds, before = 0, 0.0, 0
    for _ in range(LISTEN):
        frame = await track.recv()
        assert isinstance(frame, AudioFrame)
        samples = frame.to_ndarray()[0][:: len(frame.layout.channels)]
        for sample in samples:
            rises += before < 0 <= sample
            before = sample
        seconds += len(samples) / frame.sample_rate
    return rises / seconds


async def main(server: str = "ws://127.0.0.1:3000/ws", number: str = "601") -> int:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTrack(AudioStreamTrack())  # silence
    tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue(1)
    peer.on("track", tracks.put_nowait)
    await peer.setLocalDescription(await peer.createOffer())
    async with aiohttp.ClientSession() as session, session.ws_connect(server) as socket, asyncio.timeout(30):
        await socket.send_json({"type": "offer", "target": number, "sdp": peer.localDescription.sdp})
        async for frame in socket:
            message = frame.json()
            match message["type"]:
                case "answer":
                    await peer.setRemoteDescription(RTCSessionDescription(message["sdp"], "answer"))
                case "state":
                    print("state:", message["state"])
                    if message["state"] == "accepted":
                        print(f"heard: {await frequency(await tracks.get()):.0f} Hz")
                        await socket.send_json({"type": "hangup", "callId": message["callId"]})
                    if message["state"] == "ended":
                        print("outcome:", message["outcome"])
                        break
                case "error":
                    print(message["code"], message["message"], file=sys.stderr)
                    break
    await peer.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
