"""A lock between processes of one machine, by a file."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path


class LockFile:
    """Held by one process at a time; the system frees it when its holder dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock if nobody has it; return whether it is ours."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(descriptor) and _same(descriptor, self.path):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    async def wait(self) -> None:
        """Wait until nobody has the lock, and take it."""
        while not self.acquire():  # noqa: ASYNC110  another process holds it: no event tells of its end
            await asyncio.sleep(0.1)

    def release(self, *, remove: bool = False) -> None:
        """Let others have it.

        Args:
            remove: remove the file, too; who waits notices that it is another one.
        """
        if self._descriptor is not None:
            if remove:
                self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def _same(descriptor: int, path: Path) -> bool:
    """Tell whether a path still names the file that was locked: its last holder may have removed it."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), named)


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
