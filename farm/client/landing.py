"""Bytes that arrive: into a part file, resumed if they broke off, checked, then renamed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from farm.package.hashing import CHUNK
from farm.words.errors import HashMismatch, LengthMismatch, NoRoom

FULL = {errno.ENOSPC, errno.EDQUOT}
"""What a system says when a disk, or somebody's share of it, is full."""


class Landing:
    """A file on its way; nobody sees it under its name before it is whole and right.

    Args:
        target: where the file will be.
        sha256: what its bytes must hash to (hex).
        size: their number; None: nobody said.

    Raises:
        NoRoom: the disk is full; what arrived stays, and can be gone on with. From all methods that write.
    """

    def __init__(self, target: Path, sha256: str, size: int | None = None) -> None:
        self.target = target
        self.sha256 = sha256
        self.size = size
        self.part = target.with_name(f".{target.name[:200]}.{sha256[:12]}.part")
        self._digest = hashlib.sha256()
        self._stream: FileIO | None = None

    def open(self) -> int:
        """Open the part file and return how many bytes it already holds."""
        with self._room():
            self.target.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: bytes that a full disk did not take must not be tried again at the end.
            self._stream = FileIO(self.part, "a+")
        self._stream.seek(0)
        while chunk := self._stream.read(CHUNK):
            self._digest.update(chunk)
        return self._stream.tell()

    def restart(self) -> None:
        """Forget what is there: the server sends the file from its start."""
        assert self._stream is not None
        self._stream.truncate(0)
        self._stream.seek(0)
        self._digest = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        assert self._stream is not None
        rest = memoryview(chunk)
        with self._room():
            while rest:
                written = self._stream.write(rest)
                self._digest.update(rest[:written])
                rest = rest[written:]

    def close(self) -> None:
        """Close the part file, which stays for the next try, if anything arrived."""
        if self._stream:
            arrived = self._stream.tell()
            self._shut()
            if not arrived:
                self.part.unlink(missing_ok=True)

    def finish(self, *, whole: bool = False) -> None:
        """Check the hash and give the file its name.

        Args:
            whole: what was announced is no hash of the bytes, so that only their number is checked.

        Raises:
            HashMismatch: other bytes arrived than were announced; the part file is gone.
            LengthMismatch: some are lacking; the part file stays.
        """
        assert self._stream is not None
        with self._room():
            os.fsync(self._stream.fileno())
        arrived = self._stream.tell()
        self._shut()
        if whole and arrived != self.size:
            raise LengthMismatch(f"“{self.target.name}” arrived short: {arrived:,} bytes.", hint="Try again.")
        if not whole and self._digest.hexdigest() != self.sha256:
            self.part.unlink()
            raise HashMismatch(f"“{self.target.name}” arrived damaged.", hint="Try again.")
        self.part.replace(self.target)

    def _shut(self) -> None:
        if self._stream:
            self._stream.close()
            self._stream = None

    @contextlib.contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            here = self.part.stat().st_size if self.part.exists() else 0
            raise no_room(self.target.parent, None if self.size is None else self.size - here) from error


def no_room(folder: Path, needed: int | None) -> NoRoom:
    """Return the error of a folder whose disk is full.

    Args:
        folder: where bytes had to go.
        needed: how many more.
    """
    free = shutil.disk_usage(folder).free if folder.is_dir() else 0
    still = "" if needed is None else f", and {needed:,} more bytes have to go there"
    return NoRoom(
        f"The disk under {folder} is full: {free:,} bytes are free{still}.",
        hint="Make room, then do the same again: it goes on where it stopped.",
        folder=str(folder),
        needed_bytes=needed,
        free_bytes=free,
    )
