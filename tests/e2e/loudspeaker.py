"""Sound devices for a machine that has none: Firefox processes no audio without one."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.real.parts import require_installed

START_SECONDS = 10.0
"""The longest that the sound server may take until it listens."""
STOP_SECONDS = 5.0


@asynccontextmanager
async def loudspeaker(folder: Path) -> AsyncIterator[dict[str, str | float | bool]]:
    """A PulseAudio of its own that plays into nothing; yields the environment in which programs find it.

    Raises TimeoutError where it does not start.
    """
    path = shutil.which("pulseaudio")
    require_installed(path is not None, "PulseAudio")
    assert path
    # A home of its own too: cookies and settings of the machine's user are neither read nor written.
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
    modules = ("module-null-sink", "module-native-protocol-unix")
    options = ["-n", "--daemonize=no", "--exit-idle-time=-1", *(f"--load={module}" for module in modules)]
    server = await asyncio.create_subprocess_exec(path, *options, env=environment, stdout=DEVNULL, stderr=DEVNULL)
    try:
        async with asyncio.timeout(START_SECONDS):
            while not (folder / "pulse" / "native").exists():  # noqa: ASYNC110  it tells in no other way
                await asyncio.sleep(0.02)
        yield {**environment}
    finally:
        server.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await server.wait()
        except TimeoutError:
            server.kill()
            await server.wait()


Environment = dict[str, str | float | bool]


async def plug_in(server: Environment, name: str, hz: int) -> str:
    """A microphone that hears a tone. `server`: the environment of `loudspeaker`. Gives its handle, for `unplug`."""
    options = [f"source_name={name}", f"frequency={hz}", f"source_properties=device.description={name}"]
    return await _control(server, "load-module", "module-sine-source", *options)


async def use_by_default(server: Environment, name: str) -> None:
    """The system's choice of microphone from here on."""
    await _control(server, "set-default-source", name)


async def unplug(server: Environment, handle: str) -> None:
    await _control(server, "unload-module", handle)


async def _control(server: Environment, *words: str) -> str:
    path = shutil.which("pactl")
    require_installed(path is not None, "pactl")
    assert path
    program = await asyncio.create_subprocess_exec(path, *words, env=server, stdout=PIPE)  # type: ignore[arg-type]
    said, _ = await program.communicate()
    assert program.returncode == 0, words
    return said.decode().strip()
