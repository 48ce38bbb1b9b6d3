"""Downloads a recording into a file: streamed, resumed where it broke, compared with what the server says of it."""

import asyncio
import hashlib
from pathlib import Path
from typing import BinaryIO

import aiohttp

from ari_bridge_client.api_models import RecordingData
from ari_bridge_client.errors import ConnectionFailed, DownloadFailed, Problem
from ari_bridge_client.http_transport import HttpTransport, is_retryable
from ari_bridge_client.retry import backoff, wait_after

CHUNK_BYTES = 256 * 1024
READ_TIMEOUT_S = 20.0
MAX_ATTEMPTS = 5


async def to_file(transport: HttpTransport, recording: RecordingData, path: Path) -> None:
    """Raises Problem, ConnectionFailed, DownloadFailed, OSError; whatever is raised, no file is left."""
    part = path.with_name(path.name + ".part")
    file = await asyncio.to_thread(part.open, "wb")
    try:
        try:
            digest = await _fetch(transport, recording, file)
        finally:
            await asyncio.to_thread(file.close)
        size = (await asyncio.to_thread(part.stat)).st_size
        if (size, digest) != (recording.size, recording.sha256):
            raise DownloadFailed(f"{recording.name} has {recording.size} bytes, but {size} bytes came, or other bytes")
        await asyncio.to_thread(part.replace, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


async def _fetch(transport: HttpTransport, recording: RecordingData, file: BinaryIO) -> str:
    """The SHA-256 of what was written."""
    digest, size = hashlib.sha256(), 0

    def write(data: bytes) -> None:
        file.write(data)
        digest.update(data)

    error: Problem | ConnectionFailed | None = None
    for _, pause in zip(range(MAX_ATTEMPTS), backoff(), strict=False):
        if error:
            await asyncio.sleep(wait_after(error, pause))
        headers = {"Range": f"bytes={size}-", "If-Range": f'"{recording.sha256}"'} if size else {}
        try:
            async with transport.stream("GET", f"/recordings/{recording.name}/audio", headers=headers) as response:
                if size and response.status != 206:
                    raise DownloadFailed(f"{recording.name} has changed meanwhile")
                while data := await asyncio.wait_for(response.content.read(CHUNK_BYTES), READ_TIMEOUT_S):
                    await asyncio.to_thread(write, data)
                    size += len(data)
            return digest.hexdigest()
        except Problem as refusal:
            if not is_retryable(refusal):
                raise
            error = refusal
        except (aiohttp.ClientError, TimeoutError) as fault:
            error = ConnectionFailed(transport.base, str(fault) or "no data for too long")
    assert error
    raise error
