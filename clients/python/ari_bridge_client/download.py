"""A recording into a file: streamed, taken up where it broke, compared with what the server says of it."""

import asyncio
import hashlib
from pathlib import Path
from typing import BinaryIO

import aiohttp

from ari_bridge_client.errors import ConnectionFailed, DownloadFailed, Problem
from ari_bridge_client.http_transport import Requests, asks_again
from ari_bridge_client.models import RecordingInfo
from ari_bridge_client.retry import backoff, wait_after

PIECE = 256 * 1024
SILENT_SECONDS = 20.0
TIMES = 5


async def to_file(requests: Requests, recording: RecordingInfo, path: Path) -> None:
    """Raises Problem, ConnectionFailed, DownloadFailed, OSError; whatever is raised, no file is left."""
    part = path.with_name(path.name + ".part")
    file = await asyncio.to_thread(part.open, "wb")
    try:
        try:
            digest = await _fetch(requests, recording, file)
        finally:
            await asyncio.to_thread(file.close)
        size = (await asyncio.to_thread(part.stat)).st_size
        if (size, digest) != (recording.size, recording.sha256):
            raise DownloadFailed(f"{recording.name} has {recording.size} bytes, {size} came, or others")
        await asyncio.to_thread(part.replace, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


async def _fetch(requests: Requests, recording: RecordingInfo, file: BinaryIO) -> str:
    """The SHA-256 of what was written."""
    digest, size = hashlib.sha256(), 0

    def write(data: bytes) -> None:
        file.write(data)
        digest.update(data)

    error: Problem | ConnectionFailed | None = None
    for _, pause in zip(range(TIMES), backoff(), strict=False):
        if error:
            await asyncio.sleep(wait_after(error, pause))
        headers = {"Range": f"bytes={size}-", "If-Range": f'"{recording.sha256}"'} if size else {}
        try:
            async with requests.stream("GET", f"/recordings/{recording.name}/audio", headers=headers) as response:
                if size and response.status != 206:
                    raise DownloadFailed(f"{recording.name} is another one than a moment ago")
                while data := await asyncio.wait_for(response.content.read(PIECE), SILENT_SECONDS):
                    await asyncio.to_thread(write, data)
                    size += len(data)
            return digest.hexdigest()
        except Problem as refusal:
            if not asks_again(refusal):
                raise
            error = refusal
        except (aiohttp.ClientError, TimeoutError) as fault:
            error = ConnectionFailed(requests.base, str(fault) or "nothing came for too long")
    assert error
    raise error
