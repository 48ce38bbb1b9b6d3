"""One process for each state directory.

The lock is an flock on a file of its own: it ends with the process however that dies, and closing another
file cannot lose it (as it would an fcntl lock on the database, which is SQLite's).
"""

import fcntl
import os
from pathlib import Path

from ari_bridge import atomic_file
from ari_bridge.errors import BridgeError


class StoreRefused(BridgeError):
    """The call store must not be used by this process; the text names the file and what to do."""

    code = "store_refused"


class ProcessLock:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def take(self) -> None:
        """Acquire the lock, if it is not held already. Raises StoreRefused (another process has it), OSError."""
        if self._fd is not None:
            if atomic_file.is_same(self._fd, self.path):
                return
            self.release()  # the directory was deleted, or moved away
        atomic_file.make_folder(self.path.parent)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
            os.close(fd)
            raise StoreRefused(
                f"{self.path.parent} is in use by another front end{f' (process {holder})' if holder else ''}: "
                f"{self.path} is locked. Stop that one, or give this one a STATE_DIR and an ARI_APP of its own."
            ) from None
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        try:  # for people; a full disk is no reason to give up the lock
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
