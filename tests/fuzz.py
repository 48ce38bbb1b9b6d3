"""Schemathesis over the whole OpenAPI document of a running server: what is sent is made of the document, and every
answer is held against it.
"""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp
import pytest

from frontend.app import App
from frontend.auth.sign_in_pace import Pace

SEED = "20261124"
STREAMS = "^/events$"
"""It never ends: a test of its own asks for it."""
SIGN_OUT = ("signOut", "signOutAtProvider", "signOutEverywhere", "signOutUser", "renameUser")
"""After them every answer is 401: they have tests of their own in `tests/security`."""
TOO_LONG = "finishSingleSignOn"
"""Its parameters may be so long that one more character no longer fits an address: 431, before any operation is known.
It has tests of its own in `tests/security/test_single_sign_on.py`.
"""
EXCLUDED = "positive_data_acceptance"
"""A number that cannot be dialled, an SDP without audio, a user who is not the asker: no schema can say these."""


ALL_PHASES = "examples,coverage,fuzzing,stateful"
"""Of Schemathesis. `coverage` is by far the longest: each way in which a parameter can be wrong."""


def let_nothing_wait(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour would go by with what is asked with `wait`, and with sign-ins that are delayed after many wrong ones."""
    app.watchers.close()
    monkeypatch.setattr(Pace, "spacing", lambda pace, wrong: 0.0)


async def fuzz(
    url: str, token: str, directory: Path, *, examples: int, seconds: float, phases: str = ALL_PHASES
) -> str:
    """What Schemathesis says, where it has found something; "" where not. Raises TimeoutError after `seconds`.

    The token has to be good to the end: otherwise most answers would be 401, and nothing were tried.
    The same requests each time: the seed is fixed, and nothing is remembered.
    """
    arguments = [
        *("run", f"{url}/openapi.json", "--checks", "all", "--exclude-checks", EXCLUDED),
        *("--phases", phases, "--max-examples", str(examples), "--generation-deterministic", "--seed", SEED),
        *("--suppress-health-check", "all", "--continue-on-failure"),
        *("--header", f"Authorization: Bearer {token}", "--exclude-path-regex", STREAMS),
        *(part for name in (*SIGN_OUT, TOO_LONG) for part in ("--exclude-operation-id", name)),
        *("--request-timeout", "30", "--no-color", "--warnings", "off", "--workers", "1"),
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", *arguments),
        cwd=directory,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        return output.decode(errors="replace")
    async with (
        aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as http,
        http.get("/me") as response,
    ):
        return "" if response.status == 200 else f"the token has ended meanwhile: {await response.text()}"
