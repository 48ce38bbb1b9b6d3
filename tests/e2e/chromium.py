"""Starts Debian's Chromium with a microphone that the test chooses."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.real.parts import require_installed


@asynccontextmanager
async def chromium(
    microphone: Path | None, *more: str, sound: dict[str, str | float | bool] | None = None
) -> AsyncIterator[Browser]:
    """`microphone`: the sound file that it hears; None: the machine has none at all. `more`: options of Chromium's.

    `sound`: the environment of a sound server whose devices it has.
    """
    path = shutil.which("chromium")
    require_installed(path is not None, "Chromium")
    # Everything runs on this machine: rtpengine is reached by loopback addresses, which browsers leave out else.
    options = ["--no-sandbox", "--allow-loopback-in-peer-connection", "--disable-background-networking", *more]
    environment: dict[str, str | float | bool] = {**os.environ}
    if microphone:
        options += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}"]
    elif sound:
        environment = sound
    else:
        environment |= {"ALSA_CONFIG_PATH": "/dev/null", "PULSE_SERVER": "unix:/dev/null"}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=options, env=environment)
        try:
            yield browser
        finally:
            await browser.close()
