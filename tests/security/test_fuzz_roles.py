"""Schemathesis as each role: whatever is sent, no operation fails, and what is refused is refused as documented."""

from pathlib import Path

import pytest

from frontend.app import App
from frontend.settings import Settings
from tests.fuzz import ALL_PHASES, fuzz, let_nothing_wait
from tests.security.conftest import USERS, SignIn
from tests.security.conftest import settings as signed_in_settings

__all__ = ["signed_in_settings"]

NAMES = [name for name in USERS if name != "1002"]  # the second of role user is the others' other


@pytest.fixture
def settings(signed_in_settings: Settings) -> Settings:
    return signed_in_settings.model_copy(update={"max_calls_per_user": 1000, "max_legs_per_minute": 100_000})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES, ids=[f"{USERS[name]}-{name}" for name in NAMES])
async def test_no_operation_fails_for_a_role(
    name: str, app: App, tmp_path: Path, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_nothing_wait(app, monkeypatch)
    token = (await sign_in(name))["Authorization"].removeprefix("Bearer ")
    # The longest phase once more for who may do everything; tests/component/frontend/test_openapi.py has it for a user.
    phases = ALL_PHASES if USERS[name] == "admin" else "examples,fuzzing,stateful"
    found = await fuzz(app.url, token, tmp_path, examples=2, seconds=250, phases=phases)
    assert not found, found
