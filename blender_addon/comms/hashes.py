"""SHA-256 of files, remembered by path, size and time of change: the same scene again takes no reading.

A file that was changed within the last moments is read again next time: its clock may be
too coarse to show a second change. A change that keeps size, times and inode is not seen.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time

from .folders import read_json, user_folder, write_json
from .link import CHUNK, OnBytes
from .trouble import Stopped, Trouble

FRESH = 3.0
"""Seconds in which a file's time of change is not trusted: FAT counts in 2 s."""

MOST = 200_000
"""Files that are remembered."""


class Hashes:
    """What is known of this user's files; usable from several threads."""

    def __init__(self, path: str = "") -> None:
        self._path = path or os.path.join(user_folder("cache"), "addon-hashes.json")
        known = read_json(self._path)
        self._known: dict[str, list[object]] = known if isinstance(known, dict) else {}
        self._changed = False

    def of(self, path: str, on_bytes: OnBytes, stop: threading.Event) -> tuple[str, int]:
        """Return a file's hash (hex) and size (bytes).

        Raises:
            Trouble: it can't be read.
            Stopped: the event was set.
        """
        try:
            before = os.stat(path)
            facts = [before.st_size, before.st_mtime_ns, before.st_ino]
            known = self._known.get(path)
            if known and known[1:] == facts:
                on_bytes(before.st_size)
                return str(known[0]), before.st_size
            return self._read(path, facts, on_bytes, stop)
        except OSError as error:
            raise Trouble(f"{path} can't be read: {error.strerror}.", "Mend it, then send again.", "changed") from error

    def save(self) -> None:
        """Keep what was learned."""
        if self._changed:
            kept = dict(list(self._known.items())[-MOST:])
            # The cache is only a cache: a full disk must not stop a job.
            try:
                write_json(self._path, kept)
            except OSError:
                return
            self._changed = False

    def _read(self, path: str, facts: list[int], on_bytes: OnBytes, stop: threading.Event) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with open(path, "rb") as stream:
            while chunk := stream.read(CHUNK):
                if stop.is_set():
                    raise Stopped
                digest.update(chunk)
                size += len(chunk)
                on_bytes(len(chunk))
            after = os.fstat(stream.fileno())
        if [after.st_size, after.st_mtime_ns, after.st_ino] == facts and time.time() - after.st_mtime > FRESH:
            self._known.pop(path, None)
            self._known[path] = [digest.hexdigest(), *facts]
            self._changed = True
        return digest.hexdigest(), size
