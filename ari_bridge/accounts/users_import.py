"""The import of the users file into the database of users, which is done once."""

import hashlib
import time

import structlog

from ari_bridge.accounts.database import Change
from ari_bridge.accounts.user import User, new_user_id
from ari_bridge.accounts.users_file import UsersFile, parse

_IMPORTED = "imported_users_file"  # a note of the database: the SHA-256 of the file

log = structlog.get_logger(__name__)


async def import_once(change: Change, file: UsersFile, content: bytes) -> int:
    """Add the file's users, unless that was done before: then the log says if the file has changed since.

    `content`: of the file, b"" if there is none. The result: how many there are, once the change is stored. Raises
    InvalidUser.
    """
    mark = hashlib.sha256(content).hexdigest() if content else ""
    before = await change.note(_IMPORTED)
    if before is not None:
        if content and mark != before:
            log.warning(
                "the users file has changed since it was imported, and is not read again: use `ari-bridge user`",
                file=str(file.path),
            )
        return 0
    now = time.time()
    users = [
        User(id=new_user_id(), name=one.name, roles=one.roles, password_hash=one.password_hash, created_at=now)
        for one in parse(file.path, content)
    ]
    await change.insert(users)
    await change.set_note(_IMPORTED, mark)
    return len(users)
