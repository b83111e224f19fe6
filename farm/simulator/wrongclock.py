"""A clock that can be set wrong while a process runs: a file holds by how many µs.

So a simulation can set the clock of its server without being allowed to set the machine's.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path

_SIZE = 8


def wrong_by(file: Path, us: int) -> None:
    """Set how many µs the clock is wrong."""
    with file.open("r+b" if file.exists() else "w+b") as out:
        out.write(struct.pack("<q", us))


def clock_of(file: Path) -> Callable[[], int]:
    """Return the clock that a file makes wrong."""
    with file.open("rb") as opened:
        offset = mmap.mmap(opened.fileno(), _SIZE, access=mmap.ACCESS_READ)
    return lambda: time.time_ns() // 1000 + int(struct.unpack("<q", offset[:_SIZE])[0])
