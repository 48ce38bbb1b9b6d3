"""The users file (USERS_FILE): one `NAME:ARGON2-HASH` a line, with `:ROLE,ROLE` behind it for roles besides `user`.

It is imported once, into the database of users.
"""

from dataclasses import dataclass
from pathlib import Path

from ari_bridge import atomic_file
from ari_bridge.accounts import passwords
from ari_bridge.accounts.names import InvalidUser, check_name, is_name
from ari_bridge.accounts.user import ROLES


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    password_hash: str
    roles: tuple[str, ...] = ("user",)


class UsersFile:
    """`path` need not exist: then there are no users in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, password: str, *roles: str) -> None:
        """Add the user, or change the password of one. The file is replaced as a whole, mode 600.

        Raises InvalidUser, OSError.
        """
        if not password:
            raise InvalidUser("the password is empty", "password")
        entries = {entry.name: entry for entry in self.read()}
        entries[check_name(name)] = Entry(name, passwords.hash_password(password), roles or ("user",))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write(self.path, "".join(map(_line, entries.values())).encode())

    def read(self) -> list[Entry]:
        """Raises InvalidUser, OSError."""
        return parse(self.path, self.content())

    def content(self) -> bytes:
        """Raises OSError."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""


def parse(path: Path, content: bytes) -> list[Entry]:
    """Raises InvalidUser, with the line that is wrong."""
    found: dict[str, Entry] = {}
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        hashed, _, roles = rest.partition(":")
        given = tuple(filter(None, roles.split(","))) or ("user",)
        if not is_name(name) or not hashed.startswith("$argon2") or not set(given) <= set(ROLES):
            raise InvalidUser(f"{path}, line {number}: not NAME:ARGON2-HASH or NAME:ARGON2-HASH:ROLE,ROLE")
        found[name] = Entry(name, hashed, given)
    return list(found.values())


def _line(entry: Entry) -> str:
    roles = "" if entry.roles == ("user",) else f":{','.join(entry.roles)}"
    return f"{entry.name}:{entry.password_hash}{roles}\n"
