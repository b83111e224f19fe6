"""Bytes that arrive: into a part file, resumed if they broke off, checked, then renamed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from farm.package.hashing import CHUNK
from farm.words.errors import HashMismatch


class Landing:
    """A file on its way; nobody sees it under its name before it is whole and right.

    Args:
        target: where the file will be.
        sha256: what its bytes must hash to (hex).
    """

    def __init__(self, target: Path, sha256: str) -> None:
        self.target = target
        self.sha256 = sha256
        self.part = target.with_name(f".{target.name[:200]}.{sha256[:12]}.part")
        self._digest = hashlib.sha256()
        self._stream: BinaryIO | None = None

    def open(self) -> int:
        """Open the part file and return how many bytes it already holds."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self.part.open("a+b")
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
        self._stream.write(chunk)
        self._digest.update(chunk)

    def close(self) -> None:
        """Close the part file, which stays for the next try."""
        if self._stream:
            self._stream.close()
            self._stream = None

    def finish(self) -> None:
        """Check the hash and give the file its name.

        Raises:
            HashMismatch: other bytes arrived than were announced; the part file is gone.
        """
        assert self._stream is not None
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self.close()
        if self._digest.hexdigest() != self.sha256:
            self.part.unlink()
            raise HashMismatch(f"“{self.target.name}” arrived damaged.", hint="Try again.")
        self.part.replace(self.target)
