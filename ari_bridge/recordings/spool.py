"""Recordings on their way from Asterisk to the store, in a folder of ours. All of it runs in threads.

    NAME.wav.part   comes from Asterisk
    NAME.wav        all of it is here
    NAME.json       what is known of it
    NAME.kept       the store has it; only Asterisk's copy must still be deleted

Whatever happens, Asterisk's copy or the store's is whole: this folder may be lost without loss.
"""

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from ari_bridge import atomic_file
from ari_bridge.recordings.recording import ABOUT, SOUND, Recording, decode, encode, stem_of_name

STORED = ".kept"


class Spool:
    """Every method raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self) -> list[str]:
        """The names that an earlier process left; partial downloads are removed."""
        atomic_file.make_folder(self._folder)
        names = set()
        for path in self._folder.iterdir():
            if path.suffix == atomic_file.PART:
                path.unlink()
            elif path.suffix in (SOUND, STORED) and stem_of_name(path.stem):
                names.add(path.stem)
        return sorted(names)

    def sound(self, name: str) -> Path:
        return self._folder / (name + SOUND)

    def has(self, name: str) -> bool:
        return self.sound(name).exists()

    def is_stored(self, name: str) -> bool:
        return (self._folder / (name + STORED)).exists()

    def begin(self, name: str) -> BinaryIO:
        """Where to write what comes; then `complete`, or `abandon`."""
        atomic_file.make_folder(self._folder)
        return open(atomic_file.create(self._part(name)), "wb")

    def complete(self, name: str) -> None:
        """From now on it counts, for good."""
        atomic_file.commit(self._part(name), self.sound(name))

    def abandon(self, name: str) -> None:
        self._part(name).unlink(missing_ok=True)

    def about(self, name: str) -> Recording | None:
        """None: not noted yet."""
        try:
            return decode((self._folder / (name + ABOUT)).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def note(self, recording: Recording) -> None:
        atomic_file.write(self._folder / (recording.name + ABOUT), encode(recording))

    def mark_stored(self, name: str) -> None:
        """The store has it: our copy goes."""
        os.close(atomic_file.create(self._folder / (name + STORED)))
        atomic_file.sync_folder(self._folder)
        self._drop_copy(name)

    def forget(self, name: str) -> None:
        """Nothing of it is left, also of one that a process had marked as stored when it was killed."""
        self._drop_copy(name)
        (self._folder / (name + STORED)).unlink(missing_ok=True)

    def _drop_copy(self, name: str) -> None:
        for ending in (ABOUT, SOUND):
            (self._folder / (name + ending)).unlink(missing_ok=True)

    def _part(self, name: str) -> Path:
        return self._folder / (name + SOUND + atomic_file.PART)
