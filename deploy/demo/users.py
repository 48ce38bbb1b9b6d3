"""The demo's users 1001-1009 with passwords made at the first start: for `HOST=ADDRESS`, where sign-in is on."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from deploy.demo import install
from deploy.demo.settings import USERS, write_private
from deploy.demo.steps import Steps

# argon2 is in .venv; this runs outside of it.
HASH = """
import json, sys
from argon2 import PasswordHasher
given, target = sys.argv[1:]
hasher = PasswordHasher()
passwords = json.load(open(given))
with open(target, "w") as file:
    file.writelines(f"{name}:{hasher.hash(word)}\\n" for name, word in passwords.items())
"""


def make(state: Path, steps: Steps) -> dict[str, str]:
    """The users' passwords by name; makes them, and the users file with their hashes, when there are none yet."""
    kept = state / "passwords.json"
    if not kept.exists():
        write_private(kept, json.dumps({name: secrets.token_urlsafe(9) for name in USERS}, indent=2) + "\n")
        (state / "users").unlink(missing_ok=True)
    if not (state / "users").exists():
        write_private(state / "users", "")
        steps.run([str(install.VENV / "bin" / "python"), "-c", HASH, str(kept), str(state / "users")])
    if not (state / "token-secret").exists():
        write_private(state / "token-secret", secrets.token_urlsafe(48) + "\n")
    passwords: dict[str, str] = json.loads(kept.read_text())
    return passwords
