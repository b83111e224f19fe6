"""Send files that a server lacks: several at once, what breaks off goes on where it stopped."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import detour
from .link import Link
from .messages import Progress
from .modesty import give_way
from .parcel import LocalFile
from .trouble import Trouble

PARALLEL = 4
"""Files sent at once."""

TRIES = 4
"""A file is tried this often when connections break."""

RESUMABLE_BYTES = 4 * 1024 * 1024
"""From this size on, servers keep what has arrived of a file."""

PAUSE = 1.0
"""Seconds before a second try; they double."""

OFTEN = 0.1
"""Seconds between two tellings of progress."""

_ANEW = ("wrong_offset", "hash_mismatch")
"""What was left of an earlier try was damaged: the server has thrown it away."""

Tell = Callable[[Any], None]


def upload(link: Link, missing: list[tuple[str, int, str]], tell: Tell, stop: threading.Event) -> None:
    """Send files.

    Args:
        link: each thread has a connection of its own.
        missing: hash, size and path of each.
        tell: is told of progress.
        stop: set, it ends the upload.

    Raises:
        Trouble: the connection broke for long, or a file changed.
    """
    meter = Meter("Sending", sum(size for _, size, _ in missing), tell)
    parallel(lambda one: _put(link, *one, meter, stop), missing, PARALLEL)


def _put(link: Link, sha256: str, size: int, path: str, meter: Meter, stop: threading.Event) -> None:
    """Send a file; what breaks off goes on where it stopped."""
    for attempt in range(TRIES):
        sent: list[int] = []

        def count(more: int, sent: list[int] = sent) -> None:
            sent.append(more)
            meter.add(more)

        try:
            return _once(link, sha256, size, path, count, stop)
        except Trouble as trouble:
            meter.add(-sum(sent))
            if stop.is_set() or not (trouble.passing or trouble.code in _ANEW) or attempt == TRIES - 1:
                raise
            stop.wait(PAUSE * 2**attempt)
    return None


def _once(link: Link, sha256: str, size: int, path: str, count: Callable[[int], None], stop: threading.Event) -> None:
    where, start = f"/api/blobs/{sha256}", 0
    if size >= RESUMABLE_BYTES:
        told = link.call("GET", f"{where}/offset", headers=detour.asked(link.server))
        if told.get("direct") and _past(link, where, told["direct"], path, count, stop):
            return
        # If all has arrived, the last byte once more has it checked.
        start = max(0, min(told["offset"], size - 1))
    count(start)
    link.put(where, path, range(start, size), count, stop)


def _past(
    link: Link, where: str, way: dict[str, Any], path: str, count: Callable[[int], None], stop: threading.Event
) -> bool:
    """Send a file to the server's bucket; return whether the server has it from there."""
    sent: list[int] = []

    def counted(more: int) -> None:
        sent.append(more)
        count(more)

    if link.put_past(way["address"], way["headers"], path, counted, stop):
        try:
            link.call("POST", f"{where}/arrived")
        except Trouble as trouble:
            if trouble.code != "file_not_found":
                raise
            detour.failed(link.server)
        else:
            return True
    count(-sum(sent))
    return False


class Meter:
    """Count bytes of several threads, and tell of them now and then."""

    def __init__(self, stage: str, total: int, tell: Tell) -> None:
        self._stage, self._total, self._tell = stage, total, tell
        self._lock = threading.Lock()
        self._done, self._told = 0, 0.0
        tell(Progress(stage, 0, total))

    def add(self, more: int) -> None:
        """Count bytes; fewer than 0 are taken back."""
        with self._lock:
            self._done += more
            if time.monotonic() - self._told >= OFTEN or self._done >= self._total:
                self._told = time.monotonic()
                self._tell(Progress(self._stage, self._done, self._total))


def parallel(work: Callable[[Any], Any], items: list[Any], threads: int) -> list[Any]:
    """Do work in threads; the first failure ends it."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="distren", initializer=give_way)
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def total(files: list[LocalFile]) -> int:
    """Return how large files are together."""
    size = 0
    for file in files:
        # Hashing says which file is gone.
        with contextlib.suppress(OSError):
            size += os.path.getsize(file.local)
    return size
