"""The name of a state directory: by it a process knows what its predecessor has left, and others know it.

Drawn by lot at the first start, and kept in a file. A copy of the folder is another folder, and gets another name: the
file says which file it is, and a copy is another one.
"""

import os
import secrets
from pathlib import Path

from ari_bridge import atomic_file

FILE = "instance"


class Instance:
    """`name`: "" before `take`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = ""

    def take(self) -> None:
        """Read it, or draw one. Only under the folder's lock. Where it cannot be kept, it holds for this process."""
        try:
            name, _, number = self.path.read_text("ascii").strip().partition(" ")
            if name and number == str(self.path.stat().st_ino):
                self.name = name
                return
        except (OSError, ValueError):
            pass
        self.name = secrets.token_hex(8)
        try:
            self._write()
        except OSError:
            pass

    def restore(self) -> bool:
        """Write it again where its file is gone. Whether it was. Raises OSError."""
        if not self.name or self.path.exists():
            return False
        self._write()
        return True

    def _write(self) -> None:
        atomic_file.make_folder(self.path.parent)
        self.path.unlink(missing_ok=True)
        with open(atomic_file.create_new(self.path, os.O_WRONLY), "w") as file:
            file.write(f"{self.name} {os.fstat(file.fileno()).st_ino}\n")
