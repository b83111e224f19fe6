"""What outlives sessions, and renderers may write to: frames that broke off, and compiled shaders; within bounds."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import structlog

from farm.sandbox.wipe import contents, size, wipe
from farm.slave.folders import Folders

log = structlog.get_logger(__name__)

KEPT = 3 * 86400.0
"""Seconds after its last change that an unfinished frame is kept: its job may have ended elsewhere."""

UNFINISHED = 4_000_000_000
"""Bytes of one job's unfinished frames; POV-Ray notes some 20 for each pixel."""

SHADERS = 1_500_000_000
"""Bytes of compiled shaders. Mesa keeps to 1 GB by itself; a program in a job keeps to nothing."""

_EVERY = 300.0
"""Seconds between two looks: all files are counted."""


class Leftovers:
    """Looks after them; whatever is removed can be made anew.

    Args:
        folders: the slave's own.
    """

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._looked = 0.0

    def tidy(self) -> None:
        """Remove what nobody went on with, and what is more than it may be; does nothing if it was done lately."""
        now = time.monotonic()
        if self._looked and now - self._looked < _EVERY:
            return
        self._looked = now
        for job in _inside(self._folders.unfinished):
            if time.time() - _changed(job) > KEPT or _too_large(job, UNFINISHED):
                wipe(job)
        for circle in _inside(self._folders.shaders):
            if _too_large(circle, SHADERS):
                _empty(circle)


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _too_large(folder: Path, most: int) -> bool:
    large = size(folder) > most
    if large:
        log.warning("More was left than is kept; it is removed", folder=str(folder), most_bytes=most)
    return large


def _empty(folder: Path) -> None:
    """Remove all that is in a folder; itself it stays, for renderers that have it open. Follows no links."""
    for inner in _inside(folder):
        with contextlib.suppress(OSError):
            if inner.is_dir() and not inner.is_symlink():
                wipe(inner)
            else:
                inner.unlink()


def _changed(job: Path) -> float:
    """Return when a job's folder was changed last; what a renderer does meanwhile is no matter."""
    return max(about.st_mtime for about in (job.lstat(), *contents(job)) if about)
