"""The hashes of a person's files, remembered from one submission to the next.

The add-on and the `distren` command share one memory. A remembered hash counts only while
nothing that the system keeps of the file has changed: place, size, time of change, inode,
device and, but for Windows, the time of the inode's change, which no program can set back.
And only files that had been left alone for :data:`QUIET` are remembered: a file that is
changed again within one tick of its clock, or through a memory map that was not yet written
back, would look the same. `docs/how-to/render-a-blend.md` says what that leaves.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass

NAME = "hashes.sqlite3"
"""The file's name in this user's folder for caches."""

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
    def at(cls, path: str) -> Look:
        """Look at a file."""
        found = os.stat(path)
        # Windows' numbers have up to 128 bits, SQLite's 64.
        touched = 0 if os.name == "nt" else found.st_ctime_ns
        return cls(found.st_size, found.st_mtime_ns, touched, str(found.st_ino), str(found.st_dev))

    def quiet(self, at: float) -> bool:
        """Tell whether the file had been left alone for long enough (seconds since 1970)."""
        return max(self.changed, self.touched) < (at - QUIET) * 1e9


class HashCache:
    """Hash files, but those that are known; usable from several threads.

    Args:
        place: the file to remember them in; empty: nothing is remembered. If it can't be used, or
            is damaged, files are hashed as ever.
        on_doubt: is told why it can't be used.
    """

    def __init__(self, place: str, on_doubt: Callable[[Exception], None] = lambda _error: None) -> None:
        self._place = place
        self._on_doubt = on_doubt
        self._lock = threading.Lock()
        self._fresh: dict[str, tuple[object, ...]] = {}
        self._used: set[str] = set()
        self._known: sqlite3.Connection | None = None
        self._doubted = not place

    def hash_file(self, path: str, read: Callable[[str], tuple[str, int]]) -> tuple[str, int]:
        """Return the SHA-256 (hex) and the size (bytes) of a file.

        Args:
            path: the file.
            read: what hashes it, if it has to be read.
        """
        at, before, name = time.time(), Look.at(path), os.path.abspath(path)
        if known := self._remembered(name, before):
            return known, before.size
        sha256, size = read(path)
        if before.quiet(at) and before == Look.at(path) and size == before.size:
            with self._lock:
                self._fresh[name] = (*astuple(before), sha256)
        return sha256, size

    def save(self) -> None:
        """Write down what is new, and let go of the file until the next hash."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
            used, self._used = self._used, set()
            known, self._known = self._known, None
            if known is None:
                return
            try:
                with contextlib.closing(known), known:
                    _write(known, fresh, used)
            except sqlite3.Error as error:
                self._doubt(error)

    def _remembered(self, name: str, look: Look) -> str | None:
        query = "SELECT size, changed, touched, inode, device, sha256 FROM hash WHERE path = ?"
        with self._lock:
            try:
                known = self._opened()
                row = known.execute(query, [name]).fetchone() if known else None
            except (sqlite3.Error, OSError) as error:
                self._doubt(error)
                return None
            if not row or row[:-1] != astuple(look):
                return None
            self._used.add(name)
            return str(row[-1])

    def _opened(self) -> sqlite3.Connection | None:
        if self._known is None and not self._doubted:
            os.makedirs(os.path.dirname(self._place), exist_ok=True)
            # What files a person has is nobody's business.
            os.close(os.open(self._place, os.O_CREAT | os.O_RDWR, 0o600))
            self._known = sqlite3.connect(self._place, timeout=5, check_same_thread=False)
            self._known.execute(_TABLE)
        return self._known

    def _doubt(self, error: Exception) -> None:
        """Go on without what is remembered; what is damaged is begun anew the next time."""
        self._on_doubt(error)
        self._known, self._doubted = None, True
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        if damaged:
            with contextlib.suppress(OSError):
                os.unlink(self._place)


def _write(known: sqlite3.Connection, fresh: dict[str, tuple[object, ...]], used: set[str]) -> None:
    now = int(time.time())
    rows = [(name, *facts, now) for name, facts in fresh.items()]
    known.executemany("INSERT OR REPLACE INTO hash VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    known.executemany("UPDATE hash SET used = ? WHERE path = ?", [(now, name) for name in used])
    known.execute("DELETE FROM hash WHERE used < ?", [now - KEPT])
