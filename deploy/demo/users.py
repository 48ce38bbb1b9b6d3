"""The demo's users 1001-1009: their passwords, for `HOST=ADDRESS`, where sign-in is on, and their voicemail PINs.

Both are made at the first start. The first user is an admin.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from deploy.demo import install
from deploy.demo.settings import USERS, write_private
from deploy.demo.steps import Steps

# Read out and typed on phones: nothing that looks like something else.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
LENGTH = 12  # 60 bits

# Runs in .venv, where the front end's own code can be had.
ADD = """
import json, sys
from pathlib import Path
from ari_bridge.accounts.users_file import UsersFile
passwords, users = Path(sys.argv[1]), UsersFile(Path(sys.argv[2]))
for name, password in json.loads(passwords.read_text()).items():
    users.add(name, password, *(["user", "admin"] if name == "1001" else []))
"""


def make(state: Path, steps: Steps) -> dict[str, str]:
    """The users' passwords by name; makes them, and the users file of the front end, when there are none yet."""
    kept = state / "passwords.json"
    users = state / "users"
    if not kept.exists():
        write_private(kept, json.dumps({name: _password() for name in USERS}, indent=2) + "\n")
        users.unlink(missing_ok=True)
    if not users.exists():
        unfinished = state / "users.unfinished"  # all of them or none, also when this is broken off
        unfinished.unlink(missing_ok=True)
        with steps.step("users and their passwords"):
            steps.run(
                [str(install.VENV / "bin" / "python"), "-c", ADD, str(kept), str(unfinished)],
                cwd=install.PROJECT,
            )
        unfinished.rename(users)
    passwords: dict[str, str] = json.loads(kept.read_text())
    return passwords


def pins(state: Path) -> dict[str, str]:
    """The PINs of the users' voicemail boxes by name; makes them when there are none yet."""
    kept = state / "pins.json"
    if not kept.exists():
        write_private(kept, json.dumps({name: f"{secrets.randbelow(10**6):06}" for name in USERS}, indent=2) + "\n")
    made: dict[str, str] = json.loads(kept.read_text())
    return made


def _password() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
