"""Jobs' files by their hash, shared by all jobs, and by all slaves of a machine that use the folder.

A blob is written beside, checked, and then renamed to its name; its mode is 0444 and its
time of change is constant, so that a blob that somebody changed is noticed. What was used
longest ago goes first when the cache is full; its time of access says when that was.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from farm.package.hashing import hash_file
from farm.slave.lockfile import LockFile
from farm.words.errors import NoRoom

log = structlog.get_logger(__name__)

Fetch = Callable[[Path], Awaitable[None]]
"""Brings a file's bytes, checked, to a path."""

STAMP = 946_684_800
"""The time of change of every blob: 2000-01-01, in seconds since 1970."""

AT_ONCE = 4
"""Files fetched at the same time."""

_KEPT = 0.9
"""The part of the limit that is left after making room."""

_STALE = 86_400.0
"""Seconds after which a file that never arrived wholly is removed."""

_NAME = re.compile(r"[0-9a-f]{64}")


class BlobCache:
    """Blobs in a folder.

    Args:
        root: the folder.
        limit: bytes of all blobs.
        spare: free bytes of the disk that are left to others.
    """

    def __init__(self, root: Path, limit: int, spare: int = 0) -> None:
        self.root = root
        self.limit = limit
        self.spare = spare
        self._bytes: int | None = None
        self._coming: dict[str, asyncio.Task[Path]] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)
        root.mkdir(parents=True, exist_ok=True)

    @property
    def bytes(self) -> int:
        """What all blobs have, as far as it is known."""
        return self._bytes or 0

    @property
    def overfull(self) -> bool:
        """Whether it holds more than it may: its owner lends less now, or jobs' trees keep it from giving way."""
        return self.bytes > self.limit

    def path(self, sha256: str) -> Path:
        """Return where a blob is, if it is here."""
        return self.root / "blobs" / sha256[:2] / sha256

    async def get(self, sha256: str, size: int, fetch: Fetch) -> Path:
        """Return a blob, and fetch it first if it is not here.

        Args:
            sha256: its hash.
            size: its length in bytes.
            fetch: brings its bytes to a path.
        """
        task = self._coming.get(sha256)
        if task is None:
            task = asyncio.create_task(self._get(sha256, size, fetch))
            self._coming[sha256] = task
            task.add_done_callback(lambda done: self._came(sha256, done))
        # Whoever asked first may be cancelled; the others still want it.
        return await asyncio.shield(task)

    def _came(self, sha256: str, task: asyncio.Task[Path]) -> None:
        self._coming.pop(sha256, None)
        if not task.cancelled():
            task.exception()

    async def _get(self, sha256: str, size: int, fetch: Fetch) -> Path:
        path = self.path(sha256)
        if await asyncio.to_thread(self._whole, path, size):
            return path
        async with self._gate:
            lock = LockFile(self.root / "locks" / sha256[:2] / sha256)
            await lock.wait()
            try:
                if not await asyncio.to_thread(self._whole, path, size):
                    await self._bring(path, size, fetch)
            finally:
                lock.release(remove=True)
        return path

    async def _bring(self, path: Path, size: int, fetch: Fetch) -> None:
        await asyncio.to_thread(self.make_room, size)
        incoming = self.root / "incoming" / path.name
        incoming.parent.mkdir(parents=True, exist_ok=True)
        try:
            await fetch(incoming)
        except NoRoom:
            await self._again(incoming, size, fetch)
        await asyncio.to_thread(_settle, incoming, path)
        self._bytes = (self._bytes or 0) + size

    async def _again(self, incoming: Path, size: int, fetch: Fetch) -> None:
        """Go on after a full disk: others write to it, too. What can't come wholly must not keep it full."""
        try:
            await asyncio.to_thread(self.give_way, size)
            await fetch(incoming)
        except NoRoom:
            for part in incoming.parent.glob(f".{incoming.name}.*"):
                part.unlink(missing_ok=True)
            raise

    def _whole(self, path: Path, size: int) -> bool:
        """Tell whether a blob is here and unchanged; remove it if not."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        good = found.st_size == size
        if good and int(found.st_mtime) != STAMP:
            good = hash_file(path)[0] == path.name
            log.warning("A file in the cache was touched", file=str(path), intact=good)
        if not good:
            path.unlink(missing_ok=True)
            return False
        _stamp(path)
        return True

    def make_room(self, size: int) -> int:
        """Remove what was used longest ago until `size` more bytes fit, into limit and disk; return the bytes freed."""
        if self._bytes is None:
            self._bytes = sum(entry[1] for entry in self._entries())
        lacking = size + self.spare - shutil.disk_usage(self.root).free
        if self._bytes + size > self.limit:
            lacking = max(lacking, self._bytes + size - int(self.limit * _KEPT))
        return self.give_way(lacking) if lacking > 0 else 0

    def give_way(self, wanted: int) -> int:
        """Remove what was used longest ago until so many bytes are free; return the bytes removed."""
        entries = sorted(self._entries())
        removed = 0
        for _, length, path, links in entries:
            if removed >= wanted:
                break
            # A file that a job's tree still shows would not free a byte.
            if links == 1:
                path.unlink(missing_ok=True)
                removed += length
        self._bytes = sum(entry[1] for entry in entries) - removed
        if removed:
            log.info("Made room in the cache", removed_bytes=removed, cache_bytes=self._bytes)
        return removed

    def tidy(self, older_than: float = _STALE) -> None:
        """Remove files that never arrived wholly and that nobody comes back for; `older_than`: seconds."""
        for path in self.root.glob("incoming/.*.part"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > older_than:
                    path.unlink()

    def _entries(self) -> list[tuple[int, int, Path, int]]:
        found = []
        for path in self.root.glob("blobs/??/*"):
            with contextlib.suppress(OSError):
                if _NAME.fullmatch(path.name):
                    stat = path.stat()
                    found.append((stat.st_atime_ns, stat.st_size, path, stat.st_nlink))
        return found


def _settle(incoming: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming.chmod(0o444)
    _stamp(incoming)
    incoming.replace(path)


def _stamp(path: Path) -> None:
    """Say when a blob was used; others that share the cache may have taken it meanwhile."""
    with contextlib.suppress(OSError):
        os.utime(path, (time.time(), STAMP))
