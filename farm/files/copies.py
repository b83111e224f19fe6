"""Copies of a bucket's blobs in a folder of this machine."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from farm.files.disk import DiskStore

LOOK = 60.0
"""Seconds between two looks at what the folder holds, unless much came."""


class Copies:
    """The copies of blobs in a folder: those that were not used for longest give way.

    Args:
        landing: the folder.
        room: bytes that they may take.
        now: seconds of a clock that nobody sets.
    """

    def __init__(self, landing: DiskStore, room: int) -> None:
        self._landing = landing
        self._room = room
        self._lock = threading.Lock()
        self._came = 0
        self._looked = 0.0

    def use(self, sha256: str) -> bool:
        """Tell whether there is a copy; it counts as used now."""
        path = self._landing.local(sha256)
        try:
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        except OSError:
            return False
        return True

    def came(self, size: int) -> None:
        """Note that a copy came; look whether there are too many, now and then."""
        with self._lock:
            self._came += size
            due = self._came > self._room // 10 or time.monotonic() - self._looked > LOOK
        if due:
            self.look()

    def make_room(self, size: int) -> None:
        """Let copies give way where the disk has no space for bytes that arrive."""
        if self._landing.usage().free - size < self._landing.reserve:
            self.look(0)

    def look(self, room: int | None = None) -> None:
        """Remove copies until the others fit into the room."""
        with self._lock:
            self._came, self._looked = 0, time.monotonic()
        left = self._room if room is None else room
        for _, size, path in sorted(self._all(), reverse=True):
            left -= size
            if left < 0:
                path.unlink(missing_ok=True)

    def _all(self) -> Iterator[tuple[int, int, Path]]:
        for sha256 in self._landing.hashes():
            path = self._landing.local(sha256)
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                yield found.st_atime_ns, found.st_size, path
