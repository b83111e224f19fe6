"""What the machine is busy with, looked at now and then."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from farm.protocol.errands import Load
from farm.slave.hardware import memory_bytes

EVERY = 12
"""Heartbeats between two looks: a minute, and longer in farms so large that heartbeats are longer."""


class Gauge:
    """Looks at the machine.

    Args:
        work: the folder in which frames are rendered.
        cache: returns the bytes of jobs' files that are kept.
        now: the time, in seconds of a clock that nobody sets.
    """

    def __init__(self, work: Path, cache: Callable[[], int], now: Callable[[], float] = time.monotonic) -> None:
        self._work = work
        self._cache = cache
        self._now = now
        self._due = 0.0
        psutil.cpu_percent()  # what it says next is since now

    def look(self, heartbeat: float) -> Load | None:
        """Return what the machine is busy with; None: it is too early to say it again.

        Args:
            heartbeat: seconds between two reports.
        """
        if self._now() < self._due:
            return None
        self._due = self._now() + EVERY * heartbeat
        total, free = 0, 0
        with contextlib.suppress(OSError):
            disk = shutil.disk_usage(self._work)
            total, free = disk.total, disk.free
        memory = psutil.virtual_memory()
        return Load(
            cpu=min(1.0, psutil.cpu_percent() / 100),
            memory_used=min(int(memory.total - memory.available), memory_bytes()),
            disk_bytes=total,
            disk_free=free,
            cache_bytes=self._cache(),
        )
