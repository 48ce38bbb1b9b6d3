"""Starts Debian's Firefox ESR, as it is packaged: Playwright drives it by WebDriver BiDi."""

import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.e2e import bidi
from tests.e2e.loudspeaker import loudspeaker
from tests.real.parts import require_installed


@asynccontextmanager
async def firefox(
    folder: Path, microphone: int | None, more: dict[str, str | float | bool] | None = None
) -> AsyncIterator[Browser]:
    """`folder`: for its files and the sound server's.

    `microphone`: Hz of the tone that it hears; None: it has those of the sound server. `more`: preferences.
    """
    path = shutil.which("firefox-esr")
    require_installed(path is not None, "Firefox ESR")
    assert path
    preferences: dict[str, str | float | bool] = {
        "media.navigator.streams.fake": microphone is not None,
        "media.navigator.audio.fake_frequency": microphone or 0,
        "media.navigator.permission.disabled": True,
        # Allowed for good: else Firefox offers the default route's address alone until the microphone is open.
        "permissions.default.microphone": 1,
        # Everything runs on this machine: rtpengine is reached by loopback addresses, which browsers leave out else.
        "media.peerconnection.ice.loopback": True,
        # A page that was reloaded in a call sounds without a click.
        "media.autoplay.default": 0,
        "media.autoplay.blocking_policy": 0,
        "network.proxy.type": 0,
        **(more or {}),
    }
    async with loudspeaker(folder) as environment, async_playwright() as playwright:
        # The channel tells Playwright that this is Mozilla's own build, and not the one that Playwright patches.
        browser = await playwright.firefox.launch(
            channel="moz-firefox",
            executable_path=_relayed(path, folder),
            firefox_user_prefs=preferences,
            env=environment,
        )
        try:
            yield browser
        finally:
            await browser.close()


def _relayed(path: str, folder: Path) -> Path:
    """A command that runs this Firefox behind the relay."""
    script = folder / "firefox"
    script.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, bidi.__file__, path])} "$@"\n')
    script.chmod(0o755)
    return script
