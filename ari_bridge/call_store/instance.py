"""The name of a state directory: by it a process recognises what its predecessor has left.

Random, made at the first start, and stored in a file with the inode of that file: so a copy of the folder gets another
name.
"""

import os
import secrets
from pathlib import Path

from ari_bridge import atomic_file

FILE = "instance"


class Instance:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = ""
        """"" before `take`."""

    def take(self) -> None:
        """Read the name, or make one. Only under the folder's lock. If it cannot be stored, it is for this process."""
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
        """Write the file again if it does not exist. Returns whether it did not. Raises OSError."""
        if not self.name or self.path.exists():
            return False
        self._write()
        return True

    def _write(self) -> None:
        atomic_file.make_folder(self.path.parent)
        self.path.unlink(missing_ok=True)
        with open(atomic_file.create_new(self.path, os.O_WRONLY), "w") as file:
            file.write(f"{self.name} {os.fstat(file.fileno()).st_ino}\n")
