"""The hashes of a person's files, remembered from one submission to the next.

A remembered hash counts only while nothing that the system keeps of the file has changed: place,
size, time of change, inode, device and, but for Windows, the time of the inode's change, which no
program can set back. And only files that had been left alone for :data:`QUIET` are remembered: a
file that is changed again within one tick of its clock, or through a memory map that was not yet
written back, would look the same. `docs/how-to/render-a-blend.md` says what that leaves.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from farm.package.hashing import hash_file

log = structlog.get_logger(__name__)

QUIET = 60.0
"""Seconds. FAT's clock ticks every 2; Linux writes memory maps back within 35; clocks of file servers go wrong."""

KEPT = 180 * 86400
"""Seconds after which what was not used is forgotten."""

_TABLE = """
CREATE TABLE IF NOT EXISTS hash (
  path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, touched INTEGER, inode TEXT, device TEXT,
  sha256 TEXT, used INTEGER
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What the system keeps of a file; times in ns. Windows has no time of the inode's change: 0."""

    size: int
    changed: int
    touched: int
    inode: str
    device: str

    @classmethod
    def at(cls, path: Path) -> Self:
        """Look at a file."""
        found = path.stat()
        # Windows' numbers have up to 128 bits, SQLite's 64.
        touched = 0 if os.name == "nt" else found.st_ctime_ns
        return cls(found.st_size, found.st_mtime_ns, touched, str(found.st_ino), str(found.st_dev))

    def quiet(self, at: float) -> bool:
        """Tell whether the file had been left alone for long enough (seconds since 1970)."""
        return max(self.changed, self.touched) < (at - QUIET) * 1e9


class HashCache:
    """Hash files, but those that are known.

    Args:
        place: the file to remember them in; None: nothing is remembered. If it can't be used, or
            is damaged, files are hashed as ever.
    """

    def __init__(self, place: Path | None) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._fresh: dict[str, tuple[object, ...]] = {}
        self._used: set[str] = set()
        self._known = self._opened(place) if place else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def hash_file(self, path: Path) -> tuple[str, int]:
        """Return the SHA-256 (hex) and the size (bytes) of a file; usable from several threads."""
        at, before, name = time.time(), Look.at(path), os.path.abspath(path)  # noqa: PTH100  links stay
        if known := self._remembered(name, before):
            return known, before.size
        sha256, size = hash_file(path)
        if before.quiet(at) and before == Look.at(path) and size == before.size:
            with self._lock:
                self._fresh[name] = (*astuple(before), sha256)
        return sha256, size

    def close(self) -> None:
        """Write down what is new."""
        known, self._known = self._known, None
        if known is None:
            return
        now = int(time.time())
        try:
            with contextlib.closing(known), known:
                rows = [(name, *facts, now) for name, facts in self._fresh.items()]
                known.executemany("INSERT OR REPLACE INTO hash VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
                known.executemany("UPDATE hash SET used = ? WHERE path = ?", [(now, name) for name in self._used])
                known.execute("DELETE FROM hash WHERE used < ?", [now - KEPT])
        except sqlite3.Error as error:
            self._doubt(error)

    def _remembered(self, name: str, look: Look) -> str | None:
        query = "SELECT size, changed, touched, inode, device, sha256 FROM hash WHERE path = ?"
        with self._lock:
            try:
                row = self._known.execute(query, [name]).fetchone() if self._known else None
            except sqlite3.Error as error:
                self._doubt(error)
                return None
            if not row or row[:-1] != astuple(look):
                return None
            self._used.add(name)
            return str(row[-1])

    def _opened(self, place: Path) -> sqlite3.Connection | None:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch(mode=0o600)
            known = sqlite3.connect(place, timeout=5, check_same_thread=False)
            known.execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            self._doubt(error)
            return None
        return known

    def _doubt(self, error: Exception) -> None:
        """Go on without what is remembered; what is damaged is begun anew the next time."""
        log.warning("Hashes of files can't be remembered.", file=str(self._place), error=str(error))
        self._known = None
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        if damaged and self._place:
            self._place.unlink(missing_ok=True)
